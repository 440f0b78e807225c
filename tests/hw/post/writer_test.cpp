// esp_writer
//   - every byte equals the contract's arithmetic (esp_arithmetic.hpp): all operations, all shifts, ties, extremes,
//     all pairs of int8 for OperationAdd, all 2^16 low accumulators for chosen scales
//   - rows are taken from the lanes in rotation and leave in that order, each through its chain of program entries
//   - every segment has a scale of its own, and reducing operations stay within it
//   - permutations copy, fill and keep; dropped entries push nothing; destinations add up modulo 2^16, permutations
//     modulo 2^8
//   - a result finishes exactly once, with its context; two contexts may be under way at once
//   - a word that the bank queue refuses waits unchanged
#include <bit>
#include <deque>

#include "Vesp_writer_k16_p16.h"
#include "Vesp_writer_k16_p16_dsp.h"
#include "Vesp_writer_k32_p32.h"
#include "Vesp_writer_k8_p2.h"
#include "Vesp_writer_k8_p8.h"
#include "esp_abi.hpp"
#include "esp_arithmetic.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

constexpr unsigned TagBits = 17;
constexpr unsigned RowBits = 11;

struct Shape {
  unsigned lanes, served, index, pixels;
};

struct Result {
  unsigned row = 0;
  unsigned context = 0;
  std::uint16_t program = 0;
  std::vector<std::int32_t> values;
};

struct Push {
  std::uint16_t address = 0;
  std::uint64_t enable = 0;
  std::vector<std::uint8_t> data;
  bool last = false, drop = false;
  unsigned context = 0;
};

struct Tables {
  std::vector<abi::Row> rows{abi::RowDepth};
  std::vector<abi::ScaleEntry> scales{abi::ScaleDepth};
  std::vector<abi::ProgramEntry> program{abi::ProgramDepth};
  std::vector<std::vector<std::uint8_t>> permutes;
};

std::vector<std::uint8_t> bytes_of(const Result& result, const abi::Command& c, const abi::ScaleEntry* scales) {
  const std::size_t pixels = result.values.size() / c.split;  // of a segment  NOLINT(clang-analyzer-core.DivideZero)
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const abi::ScaleEntry& scale = scales[i / pixels];
    if (c.operation == abi::OperationAdd) {
      const auto [a, b] = abi::separate_add(result.values[i]);
      bytes.push_back(static_cast<std::uint8_t>(
          abi::residual_add(static_cast<std::int8_t>(a), static_cast<std::int8_t>(b), c.zero_a, c.zero_b,
                            scale.multiplier, c.multiplier_b, scale.shift, c.zero, c.low, c.high)));
      continue;
    }
    std::int32_t value = result.values[i];
    if (c.operation == abi::OperationMacReduce || c.operation == abi::OperationMaxReduce) {
      value = result.values[i / pixels * pixels];
      for (std::size_t p = i / pixels * pixels + 1; p < (i / pixels + 1) * pixels; ++p) {
        value = c.operation == abi::OperationMacReduce ? abi::accumulate(value, result.values[p])
                                                       : std::max(value, result.values[p]);
      }
    }
    bytes.push_back(static_cast<std::uint8_t>(
        abi::requantise(abi::accumulate(value, scale.bias), scale.multiplier, scale.shift, c.zero, c.low, c.high)));
  }
  return bytes;
}

template <typename Top>
class WriterBench {
 public:
  WriterBench(const Shape& shape, Random& random) : shape_(shape), random_(random), bench_(random) {
    bench_->row_write_i = bench_->scale_write_i = bench_->program_write_i = bench_->permute_write_i = 0;
    bench_->result_valid_i = 0;
    bench_->index_i = static_cast<CData>(shape.index);
    bench_->push_ready_i = 0;
    bench_->rst_ni = 0;
    bench_.clock();
    bench_->rst_ni = 1;
    lanes_.resize(shape.served);
  }

  void load(const Tables& tables) {
    tables_ = tables;
    bench_->row_write_i = 1;
    for (unsigned i = 0; i < abi::RowDepth; ++i) write_entry(i, 32, abi::encode(tables.rows[i]));
    bench_->row_write_i = 0;
    bench_->scale_write_i = 1;
    for (unsigned i = 0; i < abi::ScaleDepth; ++i) write_entry(i, 64, abi::encode(tables.scales[i]));
    bench_->scale_write_i = 0;
    bench_->program_write_i = 1;
    for (unsigned i = 0; i < abi::ProgramDepth; ++i) write_number(i, abi::encode(tables.program[i]));
    bench_->program_write_i = 0;
    bench_->permute_write_i = 1;
    for (unsigned i = 0; i < tables.permutes.size(); ++i) write_table(i, tables.permutes[i]);
    bench_->permute_write_i = 0;
  }

  void set_context(unsigned context, const abi::Command& command) {
    commands_[context] = command;
    set_bytes(context == 0 ? bench_->context0_i : bench_->context1_i, abi::encode(command));
  }

  /// Sends the rows of every lane of the writer and checks all words pushed.
  void run(std::vector<std::deque<Result>> rows, double idle, double refuse) {
    lanes_ = std::move(rows);
    std::size_t left = 0;
    for (const auto& lane : lanes_) left += lane.size();
    const std::size_t total = left;
    std::size_t finished = 0;
    std::vector<bool> offered(shape_.served, false);
    for (std::size_t i = 0; i < 200 + total * 400 && finished < total; ++i) {
      for (unsigned k = 0; k < shape_.served; ++k) {
        if (!offered[k] && !lanes_[k].empty() && !random_.chance(idle)) {
          offer(k);
          offered[k] = true;
        }
        set(bench_->result_valid_i, k, 1, offered[k]);
      }
      const bool ready = !random_.chance(refuse);
      bench_->push_ready_i = ready;
      bench_.settle();
      const std::uint64_t popped = get(bench_->result_pop_o, 0, shape_.served);
      if (bench_->push_valid_o && ready) check_push();
      if (bench_->finished_o) {
        drop_dropped();
        ASSERT_FALSE(finishing_.empty());
        EXPECT_EQ(bench_->finished_context_o, finishing_.front());
        finishing_.pop_front();
        ++finished;
      }
      bench_.clock();
      if (popped != 0) {
        const auto lane = static_cast<unsigned>(std::countr_zero(popped));
        EXPECT_EQ(popped, std::uint64_t{1} << lane) << "one lane at a time";
        EXPECT_EQ(lane, next_in_rotation(offered)) << "not in rotation";
        EXPECT_EQ(bench_->result_lane_o, lane);
        show(lane);
        expect(lane);
        turn_ = (lane + 1) % shape_.served;
        offered[lane] = false;
      }
      if (::testing::Test::HasFailure()) return;
    }
    drop_dropped();
    EXPECT_EQ(finished, total);
    EXPECT_TRUE(pushes_.empty());
  }

 private:
  template <typename Bytes>
  void write_table(unsigned address, const Bytes& bytes) {
    put(bench_->table_addr_i, address);
    set_bytes(bench_->table_data_i, bytes);
    bench_.clock();
  }

  /// A row or scale, alone or as the last of its group.
  void write_entry(unsigned address, unsigned width, std::uint64_t bits) {
    const unsigned group = std::min(64 / shape_.lanes, shape_.pixels);
    const unsigned place = address % group;
    set(bench_->table_data_i, place * width, width, bits);
    if (address < abi::RowDepth / 2 && place + 1 < group) return;
    put(bench_->table_addr_i, address < abi::RowDepth / 2 ? address - place : address);
    put(bench_->table_enable_i, address < abi::RowDepth / 2 ? (1U << group) - 1U : 1U << place);
    bench_.clock();
  }

  void write_number(unsigned address, std::uint64_t bits) {
    put(bench_->table_addr_i, address);
    set(bench_->table_data_i, 0, 64, bits);
    bench_.clock();
  }

  void offer(unsigned k) {
    const Result& row = lanes_[k].front();
    const unsigned at = k * (TagBits + RowBits);
    set(bench_->result_tag_i, at, 16, row.program);
    set(bench_->result_tag_i, at + 16, 1, row.context);
    set(bench_->result_tag_i, at + 17, RowBits, row.row);
  }

  // A lane shows the row from the cycle after it is popped.
  void show(unsigned k) {
    const Result& row = lanes_[k].front();
    for (unsigned p = 0; p < shape_.pixels; ++p) {
      set(bench_->result_i, p * 32, 32, static_cast<std::uint32_t>(row.values[p]));
    }
  }

  unsigned next_in_rotation(const std::vector<bool>& offered) const {
    for (unsigned i = 0; i < shape_.served; ++i) {
      if (offered[(turn_ + i) % shape_.served]) return (turn_ + i) % shape_.served;
    }
    return shape_.served;
  }

  /// Appends what the oldest row of a lane must push.
  void expect(unsigned lane) {
    const Result row = lanes_[lane].front();
    lanes_[lane].pop_front();
    const abi::Command& c = commands_[row.context];
    const unsigned number = row.row * shape_.lanes + shape_.lanes / shape_.served * lane + shape_.index;
    const abi::Row& entry_row = tables_.rows[(c.row + number) % abi::RowDepth];
    std::array<abi::ScaleEntry, 8> scales;
    for (unsigned g = 0; g < c.split; ++g)
      scales[g] = tables_.scales[(c.scale + number * c.split + g) % abi::ScaleDepth];
    const std::vector<std::uint8_t> bytes = bytes_of(row, c, scales.data());
    auto at = static_cast<std::uint16_t>(row.program + entry_row.step);
    do {
      const abi::ProgramEntry& entry = tables_.program[at % abi::ProgramDepth];
      Push push;
      push.address = static_cast<std::uint16_t>(c.output + entry_row.output + entry.offset);
      push.drop = entry.drop;
      push.last = entry.next == 0;
      push.data.resize(shape_.pixels);
      for (unsigned p = 0; p < shape_.pixels; ++p) {
        const std::uint8_t choice = tables_.permutes[(entry.permute + entry_row.permute) % abi::PermuteDepth][p];
        const unsigned mode = choice >> abi::PermuteModeLsb;
        push.enable |= std::uint64_t{mode != abi::PermuteKeep} << p;
        push.data[p] = mode == abi::PermuteFill ? static_cast<std::uint8_t>(c.fill) : bytes[choice % shape_.pixels];
      }
      pushes_.push_back(push);
      at = entry.next;
    } while (at != 0);
    finishing_.push_back(row.context);
  }

  void drop_dropped() {
    while (!pushes_.empty() && pushes_.front().drop) pushes_.pop_front();
  }

  void check_push() {
    drop_dropped();
    ASSERT_FALSE(pushes_.empty()) << "a word that nobody asked for";
    const Push push = pushes_.front();
    pushes_.pop_front();
    EXPECT_EQ(bench_->push_addr_o, push.address);
    EXPECT_EQ(bench_->push_enable_o, push.enable);
    for (unsigned p = 0; p < shape_.pixels; ++p) {
      if (((push.enable >> p) & 1U) != 0) {
        EXPECT_EQ(static_cast<std::int8_t>(get(bench_->push_data_o, 8 * p, 8)), static_cast<std::int8_t>(push.data[p]));
      }
    }
  }

  Shape shape_;
  Random& random_;
  Bench<Top> bench_;
  Tables tables_;
  std::array<abi::Command, 2> commands_;
  std::vector<std::deque<Result>> lanes_;
  std::deque<Push> pushes_;
  std::deque<unsigned> finishing_;
  unsigned turn_ = 0;
};

abi::Command random_command(Random& random, unsigned max_split) {
  abi::Command c;
  c.opcode = abi::OpCompute;
  c.split = static_cast<std::uint8_t>(1 << random.between(0, std::countr_zero(max_split)));
  c.row = static_cast<std::uint16_t>(random.between(0, abi::RowDepth - 1));
  c.scale = static_cast<std::uint16_t>(random.between(0, abi::ScaleDepth - 1) / c.split * c.split);
  c.output = static_cast<std::uint16_t>(random.between(0, 65535));
  c.operation = static_cast<std::uint8_t>(random.between(0, abi::Operations - 1));
  c.zero = random.byte();
  c.low = static_cast<std::int8_t>(random.between(-128, 127));
  c.high = static_cast<std::int8_t>(random.between(c.low, 127));
  c.fill = random.byte();
  c.zero_a = random.byte();
  c.zero_b = random.byte();
  c.multiplier_b = static_cast<std::uint32_t>(random.between(0, 16777215));
  return c;
}

Tables random_tables(Random& random, unsigned pixels) {
  Tables tables;
  for (auto& scale : tables.scales) {
    scale.bias = random.chance(0.5) ? random.between(-1000, 1000) : random.between(INT32_MIN, INT32_MAX);
    scale.multiplier = random.chance(0.2) ? 16777215 : static_cast<std::uint32_t>(random.between(0, 16777215));
    if (random.chance(0.3)) scale.multiplier = 1U << random.between(0, 23);
    scale.shift = static_cast<std::uint8_t>(random.between(0, 63));
  }
  for (auto& row : tables.rows) {
    row.output = static_cast<std::uint16_t>(random.between(0, 65535));
    row.step = static_cast<std::uint8_t>(random.between(0, 15));
    row.permute = static_cast<std::uint8_t>(random.between(0, 255));
  }
  for (unsigned i = 0; i < tables.program.size(); ++i) {
    auto& entry = tables.program[i];
    entry.offset = static_cast<std::uint16_t>(random.between(0, 65535));
    entry.permute = static_cast<std::uint8_t>(random.between(0, abi::PermuteDepth - 1));
    entry.drop = random.chance(0.2);
    // Chains lead upwards, so they end.
    if (i + 1 < tables.program.size() && random.chance(0.4)) {
      entry.next = static_cast<std::uint16_t>(random.between(static_cast<int>(i) + 1, abi::ProgramDepth - 1));
    }
  }
  for (unsigned i = 0; i < abi::PermuteDepth; ++i) {
    tables.permutes.emplace_back();
    for (unsigned p = 0; p < pixels; ++p) {
      const int source = random.between(0, static_cast<int>(pixels) - 1);
      tables.permutes.back().push_back(static_cast<std::uint8_t>(source | random.between(0, 2) << abi::PermuteModeLsb));
    }
  }
  return tables;
}

std::int32_t random_value(Random& random) {
  switch (random.between(0, 3)) {
    case 0:
      return random.between(-200, 200);
    case 1:
      return random.between(INT32_MIN, INT32_MAX);
    case 2:
      return random.between(0, 1) != 0 ? INT32_MAX : INT32_MIN;
    default:
      return random.between(-32768, 32767);
  }
}

template <typename Top>
void run_random(const Shape& shape) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(shape.pixels);
    const unsigned max_split = std::min(abi::BeatBytes / shape.lanes, shape.pixels);
    WriterBench<Top> bench(shape, random);
    bench.load(random_tables(random, shape.pixels));
    for (int round = 0; round < 2; ++round) {
      const std::array<abi::Command, 2> commands = {random_command(random, max_split),
                                                    random_command(random, max_split)};
      for (unsigned context = 0; context < 2; ++context) bench.set_context(context, commands[context]);
      std::vector<std::deque<Result>> rows(shape.served);
      for (auto& lane : rows) {
        for (int n = random.between(0, 8); n > 0; --n) {
          Result row{static_cast<unsigned>(random.between(0, 100)),
                     static_cast<unsigned>(random.between(0, 1)),
                     static_cast<std::uint16_t>(random.between(0, abi::ProgramDepth - 1)),
                     {}};
          const bool maximum = commands[row.context].operation == abi::OperationMaxReduce;  // of pixels
          for (unsigned p = 0; p < shape.pixels; ++p) {
            row.values.push_back(maximum ? random.byte() : random_value(random));
          }
          lane.push_back(row);
        }
      }
      bench.run(rows, idle, refuse);
      if (::testing::Test::HasFailure()) return;
    }
  });
}

TEST(Writer, PushesEveryWordOfEveryRow) {
  run_random<Vesp_writer_k8_p2>({8, 4, 1, 2});
  run_random<Vesp_writer_k8_p8>({8, 4, 0, 8});
  run_random<Vesp_writer_k16_p16>({16, 4, 1, 16});
  run_random<Vesp_writer_k32_p32>({32, 8, 0, 32});
}

TEST(Writer, WithPrimitivesPushesTheSameWords) { run_random<Vesp_writer_k16_p16_dsp>({16, 4, 1, 16}); }

/// Rows of 16 values counting through 2^16, one scale, no permutation.
void run_all_values(Random& random, const abi::Command& command, const abi::ScaleEntry& scale) {
  const Shape shape{16, 4, 1, 16};
  WriterBench<Vesp_writer_k16_p16_dsp> bench(shape, random);
  Tables tables;
  for (auto& entry : tables.scales) entry = scale;
  tables.permutes.emplace_back();
  for (unsigned p = 0; p < 16; ++p) {
    tables.permutes[0].push_back(static_cast<std::uint8_t>(p | abi::PermuteCopy << abi::PermuteModeLsb));
  }
  bench.load(tables);
  bench.set_context(0, command);
  std::vector<std::deque<Result>> rows(shape.served);
  for (std::int32_t n = -32768; n < 32768; n += 16) {
    Result row;
    for (std::int32_t p = 0; p < 16; ++p) row.values.push_back(n + p);
    rows[static_cast<unsigned>((n / 16) & 3)].push_back(row);
  }
  bench.run(rows, 0, 0);
}

TEST(Writer, RoundsEverySmallAccumulatorToNearestEven) {
  Random random;
  for (const unsigned shift : {0U, 1U, 8U, 23U, 24U, 31U, 40U}) {
    abi::Command c;
    c.opcode = abi::OpCompute;
    c.zero = random.byte();
    abi::ScaleEntry scale;
    scale.shift = static_cast<std::uint8_t>(shift);
    // A power of two gives ties for every second accumulator; the other scale has all bits set.
    for (const std::uint32_t multiplier : {shift == 0 ? 1U : 1U << std::min(shift - 1, 23U), 16777215U}) {
      scale.multiplier = multiplier;
      SCOPED_TRACE("shift " + std::to_string(shift) + ", multiplier " + std::to_string(multiplier));
      run_all_values(random, c, scale);
      if (HasFailure()) return;
    }
  }
}

/// acc = a - 256 * b counts through all pairs of operands when it counts through -32768 + 128 * 256 ...
TEST(Writer, AddsEveryPairOfOperands) {
  Random random;
  for (int i = 0; i < 3; ++i) {
    const Shape shape{16, 4, 1, 16};
    WriterBench<Vesp_writer_k16_p16_dsp> bench(shape, random);
    abi::Command c = random_command(random, 1);
    c.operation = abi::OperationAdd;
    c.low = -128;
    c.high = 127;
    Tables tables = random_tables(random, 16);
    for (auto& scale : tables.scales) scale.shift = static_cast<std::uint8_t>(random.between(20, 28));
    for (auto& row : tables.rows) row = {};
    for (auto& entry : tables.program) entry = {};
    for (unsigned p = 0; p < 16; ++p) {
      tables.permutes[0][p] = static_cast<std::uint8_t>(p | abi::PermuteCopy << abi::PermuteModeLsb);
    }
    bench.load(tables);
    bench.set_context(0, c);
    std::vector<std::deque<Result>> rows(shape.served);
    for (int b = -128; b < 128; ++b) {
      for (int a = -128; a < 128; a += 16) {
        Result row;
        row.row = static_cast<unsigned>(random.between(0, 100));
        for (int p = 0; p < 16; ++p) row.values.push_back(a + p - 256 * b);
        rows[static_cast<unsigned>((a >> 4) & 3)].push_back(row);
      }
    }
    bench.run(rows, 0, 0);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace espalier::test

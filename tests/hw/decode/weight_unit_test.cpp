// esp_weight_unit
//   - every format of the store gives its lines: slots gathered two to a line (FormatSparse), a beat each
//     (FormatDense), weights and entries of several beats (FormatBlock), or short ones
//   - a run's last line may be short, unused slots are not checked
//   - lines of packed symbols, and slots of coded streams of any bits, are those of the contract's reader
//   - slots of FormatVector wait for room in their queue, not for lines
//   - table entries reach their table at consecutive addresses; nothing else is written. Rows and scales whose first one
//     begins a group arrive in groups
//   - beats behind the last item are dropped; a command is done when all its beats are taken
//   - one piece per cycle, and every piece of a line waits for a free line
//   - commands are requested from the DMA in order, not while halted
#include <algorithm>
#include <deque>

#include "Vesp_weight_unit_k16_p16.h"
#include "Vesp_weight_unit_k32_p32.h"
#include "Vesp_weight_unit_k8_p8.h"
#include "esp_abi.hpp"
#include "esp_code.hpp"
#include "esp_vector.hpp"
#include "hw/bench.hpp"
#include "hw/lanes/line_plan.hpp"

namespace espalier::test {
namespace {

struct Entry {  // of a table
  unsigned format = 0;
  unsigned address = 0;
  std::vector<std::uint8_t> bytes;

  bool operator==(const Entry&) const = default;
};

struct Line {
  LineWords bits, care;
};

bool is_line(unsigned format) { return abi::fills_store(format); }

/// Table entries that are written at once.
unsigned group_of(const abi::Command& c, const abi::Configuration& array) {
  const bool grouped = c.format == abi::FormatRow || c.format == abi::FormatScale;
  return grouped && c.address % array.max_split() == 0 ? array.max_split() : 1;
}

/// Bytes from an item to the next one.
unsigned item_bytes(const abi::Command& c, const abi::Configuration& array) {
  const unsigned entry_beats = (4 * array.lanes + abi::BeatBytes - 1) / abi::BeatBytes;
  switch (c.format) {
    case abi::FormatPacked:
      return 8U * c.value_bits;
    case abi::FormatFixed:
    case abi::FormatHuffman:
    case abi::FormatVector:
      return array.lanes;  // about
    case abi::FormatCode:
      return 4;
    case abi::FormatSparse:
      return array.lanes * 4;
    case abi::FormatDense:
      return abi::BeatBytes;
    case abi::FormatBlock:
      return (abi::short_entries(c) ? 2 : 1 + entry_beats) * abi::BeatBytes;
    case abi::FormatRow:
      return 4;
    case abi::FormatScale:
    case abi::FormatProgram:
      return 8;
    default:
      return array.pixels;
  }
}

/// Cycles of a command without waiting: a piece each, and a beat each behind the last item.
std::uint64_t busy_cycles(const abi::Command& c, const abi::Configuration& array) {
  const unsigned entry_pieces = array.lanes > 16 ? array.lanes / 16 : 1;
  const unsigned size = item_bytes(c, array);
  // At most three rounds a slot and a few at the end, two cycles each.
  if (abi::coded_stream(c.format)) return std::uint64_t{c.items} * 6 + 8 + c.run;
  const unsigned used = (c.items * size + abi::BeatBytes - 1) / abi::BeatBytes;
  const unsigned pieces = abi::short_entries(c)           ? 2
                          : c.format == abi::FormatSparse ? entry_pieces
                          : c.format == abi::FormatBlock  ? 1 + entry_pieces
                                                          : 1;
  const unsigned group = group_of(c, array);
  return std::uint64_t{(c.items + group - 1) / group} * pieces + (c.run - used);
}

abi::Command random_command(Random& random, const abi::Configuration& array) {
  abi::Command c;
  c.opcode = abi::OpWeight;
  c.format = static_cast<std::uint8_t>(random.between(0, abi::Formats - 1));
  c.address = static_cast<std::uint16_t>(random.between(0, 65535));
  c.items = static_cast<std::uint32_t>(random.between(1, c.format == abi::FormatCode ? 400 : 40));
  c.gap_bits = static_cast<std::uint8_t>(random.between(1, 8));
  if (c.format == abi::FormatBlock && random.chance(0.5)) c.gap_bits = static_cast<std::uint8_t>(abi::ShortBits);
  c.value_bits = static_cast<std::uint8_t>(c.format == abi::FormatPacked  ? 1 << random.between(0, 2)
                                           : c.format == abi::FormatFixed ? random.between(0, 8)
                                                                          : random.between(0, 4));
  if (c.format == abi::FormatHuffman && random.chance(0.5)) c.value_bits = abi::ValueHuffman;
  if (c.format == abi::FormatVector) {
    c.value_bits = static_cast<std::uint8_t>(random.chance(0.5) ? 8 : random.between(1, 4));
    c.columns = static_cast<std::uint32_t>(random.between(1, 1 << random.between(0, 9)));
  }
  if (random.chance(0.5)) c.address = static_cast<std::uint16_t>(c.address / 8 * 8);
  const unsigned bytes = c.items * item_bytes(c, array);
  c.run = (bytes + abi::BeatBytes - 1) / abi::BeatBytes + (random.chance(0.2) ? 2U : 0U);
  return c;
}

/// Sparse slots as FormatSparse has them in memory.
std::vector<std::uint8_t> decoded(const abi::Command& c, const std::vector<std::uint8_t>& bytes,
                                  const abi::CodeTable& table, unsigned lanes) {
  std::vector<std::uint8_t> slots;
  abi::CodeReader reader(c, bytes, table, lanes);
  std::vector<abi::Entry> slot(lanes);
  while (!reader.ended()) {
    if (!reader.round(slot).slot) continue;
    for (const abi::Entry& entry : slot) {
      for (unsigned byte = 0; byte < 4; ++byte) {
        slots.push_back(static_cast<std::uint8_t>(abi::encode(entry) >> (8 * byte)));
      }
    }
  }
  return slots;
}

/// Lines of packed symbols as FormatDense has them in memory.
std::vector<std::uint8_t> unpacked(const abi::Command& c, const std::vector<std::uint8_t>& bytes,
                                   const abi::CodeTable& table) {
  std::vector<std::uint8_t> weights(std::size_t{c.items} * abi::BeatBytes);
  for (unsigned i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<std::uint8_t>(table.symbols[abi::get_bits(bytes, i * c.value_bits, c.value_bits)].weight);
  }
  return weights;
}

/// Lines with short entries as FormatBlock has them with long ones.
std::vector<std::uint8_t> lengthened(const abi::Command& c, const std::vector<std::uint8_t>& bytes,
                                     const abi::Configuration& array) {
  abi::Command with_long = c;
  with_long.gap_bits = 0;
  std::vector<std::uint8_t> lines(std::size_t{c.items} * item_bytes(with_long, array));
  for (std::size_t i = 0; i < c.items; ++i) {
    const std::uint8_t* const from = &bytes[i * item_bytes(c, array)];
    std::uint8_t* const to = &lines[i * item_bytes(with_long, array)];
    std::copy_n(from, abi::BeatBytes, to);
    for (std::size_t k = 0; k < array.lanes; ++k) {
      const std::uint8_t* const entry = from + abi::BeatBytes + 2 * k;
      const std::uint32_t bits = abi::encode(abi::decode_short(entry[0] | std::uint32_t{entry[1]} << 8));
      for (unsigned byte = 0; byte < 4; ++byte) {
        to[abi::BeatBytes + 4 * k + byte] = static_cast<std::uint8_t>(bits >> (8 * byte));
      }
    }
  }
  return lines;
}

/// The lines of a command; bits that no slot of the format uses are not cared for.
std::vector<Line> expected_lines(abi::Command c, std::vector<std::uint8_t> bytes, const abi::CodeTable& table,
                                 const abi::Configuration& array) {
  if (c.format == abi::FormatPacked) {
    bytes = unpacked(c, bytes, table);
    c.format = abi::FormatDense;
  } else if (abi::short_entries(c)) {
    bytes = lengthened(c, bytes, array);
  } else if (abi::coded_stream(c.format)) {
    bytes = decoded(c, bytes, table, array.lanes);
    // A line that the stream does not fill is written with the command's last slot only.
    const auto slots = static_cast<std::uint32_t>(bytes.size() / 4 / array.lanes);
    const unsigned per_line = array.line_slots(abi::WeightsSparse, 1);
    c.items = slots == c.items ? slots : slots / per_line * per_line;
    c.format = abi::FormatSparse;
  }
  const std::vector<std::uint8_t> ones(bytes.size(), 0xff);
  const std::vector<LineWords> care = lines_of(c.format, c.items, ones.data(), array);
  std::vector<Line> lines;
  for (LineWords& line : lines_of(c.format, c.items, bytes.data(), array)) lines.push_back({line, care[lines.size()]});
  return lines;
}

template <typename Top>
class WeightBench {
 public:
  WeightBench(const abi::Configuration& array, Random& random) : array_(array), random_(random), bench_(random) {
    // Undefined entries of the code table differ from those of the reader.
    abi::Command table;
    table.opcode = abi::OpWeight;
    table.format = abi::FormatCode;
    table.items = abi::CodeDepth;
    table.run = abi::CodeDepth * 4 / abi::BeatBytes;
    commands_.push_back(table);
    for (int n = 0; n < 30; ++n) commands_.push_back(random_command(random, array));
    bench_->run_ni = 0;
    bench_->halt_i = bench_->command_valid_i = bench_->request_ready_i = bench_->beat_valid_i = bench_->line_space_i =
        bench_->vector_space_i = 0;
    bench_.clock();
    bench_->run_ni = 1;
  }

  void run(double idle, double refuse) {
    for (int i = 0; i < 400000 && bench_->done_o < commands_.size(); ++i) {
      cycle(idle, refuse);
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(bench_->done_o, commands_.size());
    EXPECT_TRUE(beats_.empty());
    EXPECT_TRUE(lines_.empty());
    EXPECT_EQ(slots_, 0U);
    EXPECT_TRUE(entries_.empty());
    if (idle > 0 || refuse > 0) return;
    // Two cycles from a command's request to its first piece; the next ones are requested meanwhile.
    std::uint64_t busy = 0;
    for (const abi::Command& c : commands_) busy += busy_cycles(c, array_) + 1;
    EXPECT_LE(bench_.cycles(), busy + 8);
  }

 private:
  void cycle(double idle, double refuse) {
    const bool halt = idle > 0 && random_.chance(0.05);
    bench_->halt_i = halt;
    bench_->command_valid_i = issued_ < commands_.size();
    if (issued_ < commands_.size()) set_bytes(bench_->command_i, abi::encode(commands_[issued_]));
    bench_->request_ready_i = !random_.chance(idle);
    bench_->beat_valid_i = !beats_.empty() && !random_.chance(idle);
    if (bench_->beat_valid_i) set_bytes(bench_->beat_i, beats_.front());
    const bool space = !random_.chance(refuse);
    const bool room = !random_.chance(refuse);
    bench_->line_space_i = space;
    bench_->vector_space_i = room;
    bench_.settle();
    if (halt) {
      EXPECT_EQ(bench_->request_o, 0);
    }
    if (bench_->line_part_o != 0) {
      EXPECT_TRUE(space);
      write_parts();
    }
    if (bench_->line_end_o) check_line();
    if (bench_->vector_write_o) {
      EXPECT_TRUE(room);
      ASSERT_NE(slots_, 0U) << "a slot that nobody asked for";
      --slots_;
    }
    if (bench_->row_write_o) check_group(abi::FormatRow);
    if (bench_->scale_write_o) check_group(abi::FormatScale);
    if (bench_->program_write_o) check_entry(abi::FormatProgram);
    if (bench_->permute_write_o) check_entry(abi::FormatPermute);
    const bool pop = bench_->beat_pop_o != 0;
    if (!space && beats_left_in_lines() && bench_->beat_valid_i) {
      EXPECT_FALSE(pop) << "a piece of a line was taken without room";
    }
    if (bench_->command_pop_o) request();
    bench_.clock();
    if (pop) {
      beats_.pop_front();
      in_lines_.pop_front();
      ++taken_;
    }
    const std::size_t done = bench_->done_o;
    if (done > 0) {
      EXPECT_GE(taken_, beats_until_[done - 1]) << "done too early";
    }
  }

  bool beats_left_in_lines() const { return !in_lines_.empty() && in_lines_.front(); }

  void request() {
    const abi::Command& c = commands_[issued_++];
    const unsigned size = item_bytes(c, array_);
    const std::vector<std::uint8_t> bytes = random_bytes(random_, c.run * abi::BeatBytes);
    for (unsigned b = 0; b < c.run; ++b) {
      beats_.emplace_back(bytes.begin() + b * abi::BeatBytes, bytes.begin() + (b + 1) * abi::BeatBytes);
      in_lines_.push_back(is_line(c.format) && !abi::coded_stream(c.format) && b * abi::BeatBytes < c.items * size);
    }
    if (is_line(c.format)) {
      for (Line& line : expected_lines(c, bytes, code_, array_)) lines_.push_back(std::move(line));
    } else if (c.format == abi::FormatVector) {
      abi::VectorReader reader(c, bytes, code_, array_);
      std::vector<abi::VectorEntry> slot(array_.lanes);
      while (!reader.ended()) slots_ += reader.round(slot).slot ? 1U : 0U;
    } else if (c.format == abi::FormatCode) {
      for (unsigned n = 0; n < c.items; ++n) code_.write(c.address + n, entry_bits(&bytes[n * size]));
    } else {
      for (unsigned n = 0; n < c.items; ++n) {
        entries_.push_back({c.format, (c.address + n) % 65536U, {&bytes[n * size], &bytes[n * size] + size}});
      }
    }
    beats_until_.push_back(requested_ += c.run);
  }

  /// Parts of a lane end at its first slot, its weights, its address and its segment: see esp_line_store.
  void write_parts() {
    const unsigned ends[] = {array_.lanes > 16 ? 8U : 24U, 8 * array_.line_weights(), 8 * array_.line_weights() + 18,
                             line_bits(array_)};
    for (unsigned k = 0; k < array_.lanes; ++k) {
      for (unsigned i = 0; i < line_bits(array_); ++i) {
        const auto part = static_cast<unsigned>(std::upper_bound(std::begin(ends), std::end(ends), i) - ends);
        if (((bench_->line_part_o >> (k / 16 * 4 + part)) & 1U) == 0) continue;
        const unsigned bit = k * line_bits(array_) + i;
        store_[bit / 32] &= ~(1U << bit % 32);
        store_[bit / 32] |= bench_->line_o[bit / 32] & (1U << bit % 32);
      }
    }
  }

  void check_line() {
    EXPECT_NE(bench_->line_part_o, 0) << "a line that ends with nothing";
    ASSERT_FALSE(lines_.empty()) << "a line that nobody asked for";
    const Line line = lines_.front();
    lines_.pop_front();
    for (std::size_t i = 0; i < line.bits.size(); ++i) {
      EXPECT_EQ(store_[i] & line.care[i], line.bits[i]) << "word " << i;
    }
  }

  /// Entry i of a group has an address of i modulo its size.
  void check_group(unsigned format) {
    const unsigned size = format == abi::FormatRow ? 4 : 8;
    for (unsigned i = 0; i < array_.max_split(); ++i) {
      if (get(bench_->table_enable_o, i, 1) == 0) continue;
      ASSERT_FALSE(entries_.empty()) << "an entry that nobody asked for";
      const unsigned address = bench_->table_addr_o / array_.max_split() * array_.max_split() + i;
      EXPECT_EQ((Entry{format, address, get_bytes(bench_->table_data_o, size, i * size * 8)}), entries_.front());
      entries_.pop_front();
    }
  }

  void check_entry(unsigned format) {
    ASSERT_FALSE(entries_.empty()) << "an entry that nobody asked for";
    abi::Command command;
    command.format = static_cast<std::uint8_t>(format);
    const Entry actual{format, bench_->table_addr_o, get_bytes(bench_->table_data_o, item_bytes(command, array_))};
    EXPECT_EQ(actual, entries_.front());
    entries_.pop_front();
  }

  abi::Configuration array_;
  Random& random_;
  Bench<Top> bench_;
  std::vector<abi::Command> commands_;
  std::deque<std::vector<std::uint8_t>> beats_;
  std::deque<bool> in_lines_;  // of each beat: whether its pieces go to the store
  std::deque<Line> lines_;
  LineWords store_ = empty_line(array_);  // the line being written
  std::deque<Entry> entries_;
  std::size_t slots_ = 0;  // of FormatVector, still to come
  abi::CodeTable code_;
  std::vector<std::size_t> beats_until_;
  std::size_t issued_ = 0, requested_ = 0, taken_ = 0;
};

template <typename Top>
void run(const abi::Configuration& array) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(array.lanes);
    WeightBench<Top>(array, random).run(idle, refuse);
  });
}

TEST(WeightUnit, DecodesEveryFormat) {
  run<Vesp_weight_unit_k8_p8>(abi::Array8x8);
  run<Vesp_weight_unit_k16_p16>(abi::Array16x16);
  run<Vesp_weight_unit_k32_p32>(abi::Array32x32);
}

}  // namespace
}  // namespace espalier::test

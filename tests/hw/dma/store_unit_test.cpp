// esp_store_unit
//   - memory holds the planes' runs of scratchpad words, in order, whatever banks and memory do
//   - AXI: stable addresses and data, bursts within 1 KiB, data after its address, last where it belongs
//   - a store is done when all its responses are in, and not before
//   - a burst outside its window is not requested; a write response with an error is passed on in its cycle, with the
//     position of its command
//   - halted, nothing new is requested and quiet_o tells when all responses are in
#include <deque>
#include <map>

#include "Vesp_store_unit_p16_r12.h"
#include "Vesp_store_unit_p4_r2.h"
#include "Vesp_store_unit_p8_r10.h"
#include "axi_checker.hpp"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Burst {
  std::uint64_t address;
  unsigned beats;
  std::uint32_t position;  // of its command
};

std::uint64_t bursts_of(const abi::Command& c) {
  std::uint64_t bursts = 0;
  for (unsigned p = 0; p < c.planes; ++p) {
    const unsigned first = c.offset + p * c.pitch;
    bursts += (first + c.run - 1) / 16 - first / 16 + 1;
  }
  return bursts;
}

/// The unit with its banks and a memory that hesitates.
template <typename Top>
class StoreBench {
 public:
  StoreBench(unsigned pixels, unsigned row_bits, Random& random, double idle, double refuse)
      : pixels_(pixels), row_bits_(row_bits), random_(random), idle_(idle), refuse_(refuse), bench(random) {
    for (unsigned i = 0; i < (16U << row_bits); ++i) scratchpad.push_back(random_bytes(random, pixels));
    bench->rst_ni = bench->run_ni = 0;
    bench->halt_i = bench->command_valid_i = bench->aw_ready_i = bench->w_ready_i = bench->b_valid_i = 0;
    bench->b_resp_i = 0;
    bench->grant_i = 0;
    bench.clock();
    bench->rst_ni = bench->run_ni = 1;
  }

  /// One cycle; true if the command was taken.
  bool cycle(const abi::Command* command, std::uint64_t base, std::uint32_t limit) {
    bench->command_valid_i = command != nullptr;
    if (command != nullptr) set_bytes(bench->command_i, abi::encode(*command));
    put(bench->base_i, base);
    put(bench->limit_i, limit);
    put(bench->position_i, position_);
    const bool accept = !random_.chance(idle_), take = !random_.chance(idle_);
    const bool answer = !answers_.empty() && !random_.chance(refuse_);
    bench->aw_ready_i = accept;
    bench->w_ready_i = take;
    bench->b_valid_i = answer;
    bench->b_resp_i = answer && fail ? 2 : 0;
    bench.settle();
    const auto grant = static_cast<unsigned>(bench->store_o) &
                       static_cast<unsigned>(random_.chance(refuse_) ? random_.between(0, 65535) : 65535);
    put(bench->grant_i, grant);
    bench.settle();
    EXPECT_EQ(bench->response_error_o, answer && fail);
    if (answer) {
      EXPECT_EQ(bench->response_position_o, answers_.front());
      answers_.pop_front();
      ++answered;
    }
    std::map<unsigned, std::uint64_t> rows;
    for (unsigned bank = 0; bank < 16; ++bank) {
      if (((grant >> bank) & 1U) != 0) rows[bank] = get(bench->row_o, bank * row_bits_, row_bits_);
    }
    const AxiAddress address{bench->aw_valid_o != 0, accept, bench->aw_addr_o, bench->aw_len_o};
    AxiWriteData data{bench->w_valid_o != 0, take, bench->w_last_o != 0, {}};
    if (data.valid) data.bytes = get_bytes(bench->w_data_o, abi::BeatBytes);
    checker.cycle(address, data);
    if (data.valid && take && !bursts_.empty()) {
      memory[bursts_.front().address] = data.bytes;
      bursts_.front().address += abi::BeatBytes;
      if (--bursts_.front().beats == 0) {
        answers_.push_back(bursts_.front().position);
        bursts_.pop_front();
      }
    }
    if (address.valid && accept) {
      bursts_.push_back({address.address, address.length + 1, taken_.empty() ? 0 : taken_.front().position});
      if (!taken_.empty() && --taken_.front().bursts == 0) taken_.pop_front();
    }
    const bool taken = bench->command_pop_o != 0;
    if (!bench->run_ni) taken_.clear();
    if (taken) taken_.push_back({position_++, bursts_of(*command)});
    bench.clock();
    for (const auto& [bank, row] : rows) set_bytes(bench->data_i, scratchpad[bank + 16 * row], bank * pixels_ * 8);
    return taken;
  }

  unsigned pixels_, row_bits_;
  Random& random_;
  double idle_, refuse_;
  Bench<Top> bench;
  AxiWriteChecker checker{"write"};
  std::vector<Bytes> scratchpad;  // by bank + 16 * row
  std::map<std::uint64_t, Bytes> memory;
  std::uint64_t answered = 0;
  bool fail = false;

 private:
  struct Taken {
    std::uint32_t position;
    std::uint64_t bursts;  // not yet requested
  };

  std::deque<Burst> bursts_;
  std::deque<Taken> taken_;
  std::deque<std::uint32_t> answers_;  // positions of bursts whose response is due
  std::uint32_t position_ = 1;         // of the next command
};

struct Store {
  abi::Command command;
  std::uint64_t base;
  std::uint32_t limit;
};

Store random_store(Random& random) {
  Store s;
  abi::Command& c = s.command;
  c.opcode = abi::OpStore;
  c.address = static_cast<std::uint16_t>(random.between(0, 65535));
  c.word_pitch = static_cast<std::uint16_t>(random.between(0, 1000));
  c.planes = static_cast<std::uint16_t>(random.between(1, 3));
  c.run = static_cast<std::uint32_t>(random.chance(0.3) ? 1 : random.between(1, 90));
  c.pitch = c.run + static_cast<std::uint32_t>(random.between(0, 10));
  c.offset = static_cast<std::uint32_t>(random.between(0, 100));
  s.base = static_cast<std::uint64_t>(random.between(1, 1 << 20)) << 16;
  s.limit = c.offset + c.pitch * (c.planes - 1U) + c.run;
  return s;
}

template <typename Top>
void run(unsigned pixels, unsigned row_bits) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(pixels);
    StoreBench<Top> unit(pixels, row_bits, random, idle, refuse);
    std::map<std::uint64_t, Bytes> expected;
    std::vector<std::uint64_t> bursts_until;
    std::uint64_t bursts = 0;
    const auto cycle = [&](const Store* store) {
      const bool taken =
          store != nullptr ? unit.cycle(&store->command, store->base, store->limit) : unit.cycle(nullptr, 0, 0);
      const std::size_t done = unit.bench->done_o;
      if (done > 0) {
        EXPECT_GE(unit.answered, bursts_until[done - 1]) << "done too early";
      }
      return taken;
    };
    for (int n = 0; n < 5; ++n) {
      const Store store = random_store(random);
      const abi::Command& c = store.command;
      for (unsigned p = 0; p < c.planes; ++p) {
        for (unsigned b = 0; b < c.run; ++b) {
          Bytes beat;
          for (unsigned w = 0; w < abi::BeatBytes / pixels; ++w) {
            const auto address = static_cast<std::uint16_t>(c.address + p * c.word_pitch + b * (64 / pixels) + w);
            const Bytes& word = unit.scratchpad[address % (16U << row_bits)];
            beat.insert(beat.end(), word.begin(), word.end());
          }
          expected[store.base + (c.offset + p * c.pitch + b) * 64ULL] = beat;
        }
      }
      bursts += bursts_of(c);
      bursts_until.push_back(bursts);
      for (int i = 0; i < 30000 && !cycle(&store); ++i) {
      }
    }
    for (int i = 0; i < 30000 && unit.bench->done_o < bursts_until.size(); ++i) cycle(nullptr);
    EXPECT_EQ(unit.bench->done_o, bursts_until.size());
    EXPECT_EQ(unit.memory, expected);
    EXPECT_EQ(unit.bench->quiet_o, 1);
  });
}

TEST(StoreUnit, WritesEveryBeatToMemory) {
  run<Vesp_store_unit_p4_r2>(4, 2);
  run<Vesp_store_unit_p8_r10>(8, 10);
  run<Vesp_store_unit_p16_r12>(16, 12);
}

TEST(StoreUnit, DoesNotRequestWhatLiesOutsideTheWindow) {
  for (unsigned i = 0; i < 10; ++i) {
    Random random(i);
    StoreBench<Vesp_store_unit_p8_r10> unit(8, 10, random, 0.2, 0.2);
    Store store = random_store(random);
    --store.limit;
    while (!unit.cycle(&store.command, store.base, store.limit)) {
    }
    for (int n = 0; n < 3000; ++n) unit.cycle(nullptr, 0, 0);
    EXPECT_EQ(unit.bench->window_error_o, 1);
    EXPECT_GT(unit.bench->window_offset_o + 16, store.limit);
    EXPECT_EQ(unit.bench->quiet_o, 1);
    EXPECT_EQ(unit.bench->done_o, 0);
    for (const auto& [address, beat] : unit.memory) EXPECT_LT(address, store.base + store.limit * 64ULL);
  }
}

TEST(StoreUnit, FallsQuietWhenHaltedAndForgetsTheRun) {
  for (unsigned i = 0; i < 20; ++i) {
    Random random(i);
    StoreBench<Vesp_store_unit_p8_r10> unit(8, 10, random, 0.5, 0.5);
    unit.fail = random.chance(0.5);
    const Store store = random_store(random);
    while (!unit.cycle(&store.command, store.base, store.limit)) {
    }
    for (int n = random.between(0, 150); n > 0; --n) unit.cycle(nullptr, 0, 0);
    unit.bench->halt_i = 1;
    for (int n = 0; n < 1000 && (n < 2 || !unit.bench->quiet_o); ++n) unit.cycle(nullptr, 0, 0);
    EXPECT_EQ(unit.bench->quiet_o, 1);
    unit.bench->run_ni = 0;
    unit.cycle(nullptr, 0, 0);
    unit.bench->run_ni = 1;
    unit.bench->halt_i = 0;
    unit.fail = false;
    const Store next = random_store(random);
    while (!unit.cycle(&next.command, next.base, next.limit)) {
    }
    for (int n = 0; n < 30000 && unit.bench->done_o < 1; ++n) unit.cycle(nullptr, 0, 0);
    EXPECT_EQ(unit.bench->done_o, 1);
  }
}

}  // namespace
}  // namespace espalier::test

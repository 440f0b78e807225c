// esp_gather_unit
//   - beats are the planes' runs of scratchpad words, in order, whatever the banks and the consumer do
//   - at most StoreBeats beats are gathered ahead, and as many if nothing takes them
//   - halted, no beat is begun; a reset drops the transfer and all beats
#include <deque>
#include <map>

#include "Vesp_gather_unit_p16_r12.h"
#include "Vesp_gather_unit_p4_r2.h"
#include "Vesp_gather_unit_p8_r10.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Transfer {
  std::uint16_t address, pitch, planes;
  std::uint32_t run;
};

Transfer random_transfer(Random& random) {
  return {static_cast<std::uint16_t>(random.between(0, 65535)), static_cast<std::uint16_t>(random.between(0, 1000)),
          static_cast<std::uint16_t>(random.between(1, 3)),
          static_cast<std::uint32_t>(random.chance(0.3) ? 1 : random.between(1, 90))};
}

template <typename Top>
class GatherBench {
 public:
  GatherBench(unsigned pixels, unsigned row_bits, Random& random, double idle, double refuse)
      : pixels_(pixels), row_bits_(row_bits), random_(random), idle_(idle), refuse_(refuse), bench(random) {
    for (unsigned i = 0; i < (16U << row_bits); ++i) scratchpad_.push_back(random_bytes(random, pixels));
    bench->halt_i = bench->start_i = bench->pop_i = 0;
    bench->grant_i = 0;
    reset();
  }

  void reset() {
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    waiting = 0;
  }

  /// One cycle; true if the transfer was taken.
  bool cycle(const Transfer* transfer, bool consume = true) {
    const bool start = transfer != nullptr && bench->ready_o && !bench->halt_i && !random_.chance(idle_);
    bench->start_i = start;
    if (start) {
      bench->address_i = transfer->address;
      bench->pitch_i = transfer->pitch;
      bench->planes_i = transfer->planes;
      bench->run_i = transfer->run;
    }
    const bool pop = consume && waiting > 0 && !random_.chance(refuse_);
    bench->pop_i = pop;
    bench.settle();
    const auto grant = static_cast<unsigned>(bench->store_o) &
                       static_cast<unsigned>(random_.chance(refuse_) ? random_.between(0, 65535) : 65535);
    put(bench->grant_i, grant);
    bench.settle();
    std::map<unsigned, std::uint64_t> rows;
    for (unsigned bank = 0; bank < 16; ++bank) {
      if (((grant >> bank) & 1U) != 0) rows[bank] = get(bench->row_o, bank * row_bits_, row_bits_);
    }
    if (pop) received.push_back(get_bytes(bench->beat_o, abi::BeatBytes));
    waiting += (bench->complete_o ? 1U : 0U) - (pop ? 1U : 0U);
    EXPECT_LE(waiting, abi::StoreBeats);
    bench.clock();
    for (const auto& [bank, row] : rows) set_bytes(bench->data_i, scratchpad_[bank + 16 * row], bank * pixels_ * 8);
    return start;
  }

  void request(const Transfer& transfer) {
    for (int i = 0; i < 30000; ++i) {
      if (cycle(&transfer)) return;
    }
    ADD_FAILURE() << "the transfer is not taken";
  }

  void append(std::vector<Bytes>& expected, const Transfer& t) const {
    const unsigned words = abi::BeatBytes / pixels_;
    for (unsigned p = 0; p < t.planes; ++p) {
      for (unsigned b = 0; b < t.run; ++b) {
        Bytes beat;
        for (unsigned w = 0; w < words; ++w) {
          const auto address = static_cast<std::uint16_t>(t.address + p * t.pitch + b * words + w);
          const Bytes& word = scratchpad_[address % (16U << row_bits_)];
          beat.insert(beat.end(), word.begin(), word.end());
        }
        expected.push_back(beat);
      }
    }
  }

 private:
  unsigned pixels_, row_bits_;
  Random& random_;
  double idle_, refuse_;
  std::vector<Bytes> scratchpad_;  // by bank + 16 * row

 public:
  Bench<Top> bench;
  unsigned waiting = 0;  // beats complete and not popped
  std::vector<Bytes> received;
};

template <typename Top>
void run(unsigned pixels, unsigned row_bits) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(pixels);
    GatherBench<Top> gather(pixels, row_bits, random, idle, refuse);
    std::vector<Bytes> expected;
    for (int n = 0; n < 5; ++n) {
      const Transfer transfer = random_transfer(random);
      gather.append(expected, transfer);
      gather.request(transfer);
    }
    for (int i = 0; i < 30000 && gather.received.size() < expected.size(); ++i) gather.cycle(nullptr);
    EXPECT_EQ(gather.received, expected);
    EXPECT_EQ(gather.bench->ready_o, 1);
  });
}

TEST(GatherUnit, GathersEveryBeatInOrder) {
  run<Vesp_gather_unit_p4_r2>(4, 2);
  run<Vesp_gather_unit_p8_r10>(8, 10);
  run<Vesp_gather_unit_p16_r12>(16, 12);
}

TEST(GatherUnit, FillsItsBufferAndNoMore) {
  Random random;
  GatherBench<Vesp_gather_unit_p8_r10> gather(8, 10, random, 0, 0.2);
  const Transfer transfer{5, 0, 1, 3 * abi::StoreBeats};
  gather.request(transfer);
  for (int n = 0; n < 3000; ++n) gather.cycle(nullptr, false);
  EXPECT_GE(gather.waiting, abi::StoreBeats - 1);
  std::vector<Bytes> expected;
  gather.append(expected, transfer);
  for (int n = 0; n < 3000; ++n) gather.cycle(nullptr);
  EXPECT_EQ(gather.received, expected);
}

TEST(GatherUnit, BeginsNothingWhileHaltedAndForgetsOnReset) {
  for (unsigned i = 0; i < 20; ++i) {
    Random random(i);
    GatherBench<Vesp_gather_unit_p8_r10> gather(8, 10, random, 0.3, 0.3);
    const Transfer transfer{static_cast<std::uint16_t>(random.between(0, 65535)), 0, 1, 500};
    gather.request(transfer);
    for (int n = random.between(0, 100); n > 0; --n) gather.cycle(nullptr);
    gather.bench->halt_i = 1;
    const auto before = gather.received.size() + gather.waiting;
    for (int n = 0; n < 200; ++n) gather.cycle(nullptr, false);
    // Up to two were begun: one whose words wait for banks, one whose data is under way.
    EXPECT_LE(gather.received.size() + gather.waiting, before + 2);
    EXPECT_EQ(gather.bench->store_o, 0);
    gather.reset();
    gather.bench->halt_i = 0;
    gather.received.clear();
    std::vector<Bytes> expected;
    const Transfer next = random_transfer(random);
    gather.append(expected, next);
    gather.request(next);
    for (int n = 0; n < 30000 && gather.received.size() < expected.size(); ++n) gather.cycle(nullptr);
    EXPECT_EQ(gather.received, expected);
  }
}

}  // namespace
}  // namespace espalier::test

// esp_burst_cutter
//   - the bursts are the planes' runs, cut at 1 KiB boundaries only, in order, with the position of their transfer;
//     last_o marks the one that ends its transfer
//   - an address stays until it is accepted, also when the run ends or halts
//   - a burst is issued only when its owner allows it, never while halted, and not at all outside the window: the
//     error names its offset
#include <deque>

#include "Vesp_burst_cutter.h"
#include "axi_checker.hpp"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Transfer {
  std::uint64_t base;
  std::uint32_t limit, offset, run, pitch, position;
  std::uint16_t planes;
};

struct Burst {
  std::uint64_t address;
  unsigned beats;
  std::uint32_t position;
  bool last;
  bool operator==(const Burst&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Burst& b) {
  return out << b.beats << " beats at " << b.address << " of command " << b.position << (b.last ? ", last" : "");
}

Transfer random_transfer(Random& random) {
  Transfer t{};
  t.base = static_cast<std::uint64_t>(random.between(1, 1 << 30)) * 4096;
  t.offset = static_cast<std::uint32_t>(random.between(0, 200));
  t.run = static_cast<std::uint32_t>(random.chance(0.3) ? random.between(1, 3) : random.between(1, 80));
  t.pitch = static_cast<std::uint32_t>(random.between(0, 100));
  t.planes = static_cast<std::uint16_t>(random.between(1, 4));
  t.position = static_cast<std::uint32_t>(random.between(0, 1 << 30));
  t.limit = t.offset + t.pitch * (t.planes - 1U) + t.run;  // fits exactly
  return t;
}

/// Beat by beat: a burst ends with its run, and before a beat whose offset is a multiple of 16.
void append(std::vector<Burst>& bursts, const Transfer& t) {
  for (unsigned plane = 0; plane < t.planes; ++plane) {
    for (std::uint32_t i = 0; i < t.run; ++i) {
      const std::uint32_t beat = t.offset + plane * t.pitch + i;
      if (i == 0 || beat % abi::BurstBeats == 0) {
        bursts.push_back({t.base + std::uint64_t{beat} * abi::BeatBytes, 0, t.position, false});
      }
      ++bursts.back().beats;
    }
  }
  bursts.back().last = true;
}

class CutterBench {
 public:
  CutterBench(Random& random, double idle, double refuse)
      : random_(random), idle_(idle), refuse_(refuse), bench(random) {
    bench->rst_ni = bench->run_ni = 0;
    bench->halt_i = bench->request_i = bench->allow_i = bench->addr_ready_i = 0;
    bench.clock();
    bench->rst_ni = bench->run_ni = 1;
  }

  /// One cycle; true if the transfer was taken.
  bool cycle(const Transfer* transfer) {
    const bool offered = transfer != nullptr && !random_.chance(idle_);
    bench->request_i = offered;
    if (offered) {
      bench->base_i = transfer->base;
      bench->limit_i = transfer->limit;
      bench->offset_i = transfer->offset;
      bench->run_i = transfer->run;
      bench->pitch_i = transfer->pitch;
      bench->planes_i = transfer->planes;
      bench->position_i = transfer->position;
    }
    const bool allow = !random_.chance(refuse_), accept = !random_.chance(refuse_);
    bench->allow_i = allow;
    bench->addr_ready_i = accept;
    bench.settle();
    const bool taken = offered && bench->ready_o;
    if (bench->issue_o) {
      EXPECT_TRUE(allow && !bench->halt_i && bench->run_ni);
      issued_.push_back({0, bench->length_o, bench->position_o, bench->last_o != 0});
    }
    const AxiAddress pins{bench->addr_valid_o != 0, accept, bench->addr_o, bench->len_o};
    checker.cycle(pins);
    if (pins.valid && accept) {
      EXPECT_FALSE(issued_.empty());
      if (!issued_.empty()) {
        EXPECT_EQ(pins.length + 1, issued_.front().beats);
        bursts.push_back(issued_.front());
        bursts.back().address = pins.address;
        issued_.pop_front();
      }
    }
    bench.clock();
    return taken;
  }

  void request(const Transfer& transfer) {
    for (int i = 0; i < 20000; ++i) {
      if (cycle(&transfer)) return;
    }
    ADD_FAILURE() << "the transfer is not taken";
  }

 private:
  Random& random_;
  double idle_, refuse_;
  std::deque<Burst> issued_;  // address not accepted yet

 public:
  Bench<Vesp_burst_cutter> bench;
  AxiAddressChecker checker{"cutter"};
  std::vector<Burst> bursts;
};

TEST(BurstCutter, CutsAtBoundariesOnly) {
  for_each_pressure([](double idle, double refuse) {
    Random random;
    CutterBench cutter(random, idle, refuse);
    std::vector<Burst> expected;
    for (int n = 0; n < 20; ++n) {
      const Transfer transfer = random_transfer(random);
      append(expected, transfer);
      cutter.request(transfer);
    }
    for (int i = 0; i < 20000 && cutter.bursts.size() < expected.size(); ++i) cutter.cycle(nullptr);
    EXPECT_EQ(cutter.bursts, expected);
    EXPECT_EQ(cutter.bench->ready_o, 1);
    EXPECT_EQ(cutter.bench->window_error_o, 0);
  });
}

TEST(BurstCutter, IssuesOnePerCycleIfNothingHindersIt) {
  Random random;
  CutterBench cutter(random, 0, 0);
  Transfer transfer = random_transfer(random);
  transfer.offset = 16;
  transfer.run = 16 * 50;
  transfer.planes = 1;
  transfer.limit = 10000;
  cutter.request(transfer);
  for (int i = 0; i < 51; ++i) cutter.cycle(nullptr);
  EXPECT_EQ(cutter.bursts.size(), 50U);
}

TEST(BurstCutter, DoesNotIssueWhatLiesOutsideTheWindow) {
  for (unsigned i = 0; i < 30; ++i) {
    Random random(i);
    CutterBench cutter(random, 0.2, 0.2);
    Transfer transfer = random_transfer(random);
    // One beat short, or an end beyond 2^32, which does not wrap.
    if (random.chance(0.5)) {
      --transfer.limit;
    } else {
      transfer.offset = 0xffffffffU;
      transfer.run = static_cast<std::uint32_t>(random.between(1, 40));
    }
    std::vector<Burst> all;
    append(all, transfer);
    const auto outside = std::find_if(all.begin(), all.end(), [&](const Burst& b) {
      return b.address + std::uint64_t{b.beats} * abi::BeatBytes >
             transfer.base + std::uint64_t{transfer.limit} * abi::BeatBytes;
    });
    ASSERT_NE(outside, all.end());
    cutter.request(transfer);
    for (int n = 0; n < 500; ++n) cutter.cycle(nullptr);
    EXPECT_EQ(cutter.bench->window_error_o, 1);
    EXPECT_EQ(cutter.bench->window_offset_o, (outside->address - transfer.base) / abi::BeatBytes);
    EXPECT_EQ(cutter.bench->addr_valid_o, 0);
    EXPECT_EQ(cutter.bursts, std::vector<Burst>(all.begin(), outside));
    cutter.bench->run_ni = 0;
    cutter.cycle(nullptr);
    cutter.bench->run_ni = 1;
    EXPECT_EQ(cutter.bench->window_error_o, 0);
    EXPECT_EQ(cutter.bench->ready_o, 1);
  }
}

TEST(BurstCutter, KeepsTheAddressOnOfferWhenTheRunHaltsAndEnds) {
  for (unsigned i = 0; i < 30; ++i) {
    Random random(i);
    CutterBench cutter(random, 0, 0.8);
    const Transfer transfer = random_transfer(random);
    cutter.request(transfer);
    for (int n = random.between(0, 10); n > 0; --n) cutter.cycle(nullptr);
    cutter.bench->halt_i = 1;
    const bool offered = cutter.bench->addr_valid_o != 0;
    const std::size_t before = cutter.bursts.size();
    for (int n = random.between(1, 3); n > 0; --n) cutter.cycle(nullptr);
    cutter.bench->run_ni = 0;
    for (int n = 0; n < 200; ++n) cutter.cycle(nullptr);
    EXPECT_EQ(cutter.bursts.size(), before + (offered ? 1 : 0));
    cutter.bench->halt_i = 0;
    cutter.bench->run_ni = 1;
    std::vector<Burst> expected(cutter.bursts);
    const Transfer next = random_transfer(random);
    append(expected, next);
    cutter.request(next);
    for (int n = 0; n < 2000 && cutter.bursts.size() < expected.size(); ++n) cutter.cycle(nullptr);
    EXPECT_EQ(cutter.bursts, expected);
  }
}

}  // namespace
}  // namespace espalier::test

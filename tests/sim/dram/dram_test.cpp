// The DRAM behind one port, against what its parameters say.
//   - the first read of a quiet memory takes the latency that effective() states; an open row is faster, another row
//   slower
//   - a stream of reads moves the peak bandwidth less refresh, at most a beat per cycle; so does one of writes
//   - reads and writes together share the bus of one channel; a read of what was just written waits until it is written
//   - every request is answered, beat for beat and in order, whatever the pattern
//   - parameters are possible ones; unknown names and no cores are usage errors
#include "dram/dram.hpp"

#include <gtest/gtest.h>

#include <random>

#include "esp_error.hpp"

namespace espalier::dram {
namespace {

constexpr unsigned Clock = 300;

/// A master of one core that reads or writes bursts one after another.
class Driver {
 public:
  explicit Driver(const Parameters& parameters) : memory_(parameters, Clock, 1) {}

  abi::MemoryRequest pins;
  abi::MemoryResponse response;
  std::uint64_t cycle = 0;

  void clock() {
    memory_.clock({&pins, 1}, {&response, 1});
    ++cycle;
  }

  /// Cycles from the acceptance of a read to its first beat; the rest is taken, too.
  std::uint64_t read(std::uint64_t address, unsigned beats) {
    pins.ar_valid[1] = true;
    pins.ar_address[1] = address;
    pins.ar_len[1] = static_cast<std::uint8_t>(beats - 1);
    do clock();
    while (!response.ar_ready[1]);
    const std::uint64_t accepted = cycle;
    pins.ar_valid[1] = false;
    std::uint64_t first = 0;
    for (unsigned taken = 0; taken < beats && cycle < accepted + 10000;) {
      clock();
      if (!response.r_valid[1]) continue;
      if (first == 0) first = cycle;
      ++taken;
      EXPECT_EQ(response.r_last, taken == beats);
    }
    return first - accepted;
  }

  const Dram& memory() const { return memory_; }

 private:
  Dram memory_;
};

TEST(Dram, AQuietReadTakesTheStatedLatency) {
  for (const Parameters& set : all()) {
    Driver driver(set);
    const std::uint64_t closed = driver.read(0, 1);
    const std::uint64_t open = driver.read(0, 1);
    const std::uint64_t row = std::uint64_t{set.row_bytes} * set.groups * set.banks * set.channels;
    const std::uint64_t conflict = driver.read(row, 1);
    EXPECT_NEAR(static_cast<double>(closed), effective(set, Clock).latency, 2) << set.name;
    EXPECT_LT(open, closed) << set.name;
    EXPECT_GT(conflict, closed) << set.name;
    EXPECT_GE(driver.memory().counters().row_conflicts, 1U);
  }
}

/// Beats per cycle of endless streams, reads, writes or both, through one port.
double rate(const Parameters& set, bool reads, bool writes) {
  constexpr std::uint64_t Cycles = 100000;
  Driver driver(set);
  std::uint64_t beats = 0;
  driver.pins.ar_len[1] = driver.pins.aw_len = abi::BurstBeats - 1;
  driver.pins.aw_address = std::uint64_t{1} << 28;
  std::deque<unsigned> bursts;
  for (std::uint64_t i = 0; i < Cycles; ++i) {
    driver.pins.ar_valid[1] = reads;
    driver.pins.aw_valid = writes && bursts.size() < 8;
    driver.pins.w_valid = !bursts.empty();
    driver.pins.w_last = !bursts.empty() && bursts.front() == 1;
    const bool aw_valid = driver.pins.aw_valid;
    driver.clock();
    if (driver.response.ar_ready[1]) driver.pins.ar_address[1] += 1024;
    if (driver.response.r_valid[1]) ++beats;
    if (driver.response.w_ready && !bursts.empty()) {
      ++beats;
      if (--bursts.front() == 0) bursts.pop_front();
    }
    if (aw_valid && driver.response.aw_ready) {
      driver.pins.aw_address += 1024;
      bursts.push_back(abi::BurstBeats);
    }
  }
  return static_cast<double>(beats) / static_cast<double>(Cycles);
}

TEST(Dram, StreamsMoveThePeakLessRefresh) {
  for (const Parameters& set : all()) {
    const abi::MemoryParameters expected = effective(set, Clock);
    const double share =
        expected.pause_every == 0 ? 1.0 : double(expected.pause_every) / (expected.pause_every + expected.pause);
    EXPECT_NEAR(rate(set, true, false), share, 0.03) << set.name;
    EXPECT_NEAR(rate(set, false, true), share, 0.05) << set.name;
    const double both = rate(set, true, true);
    if (expected.one_bus) {
      EXPECT_LT(both, share);
      EXPECT_GT(both, 0.75 * share);
    } else {
      EXPECT_GT(both, 1.2);
    }
  }
}

/// Writes that a channel has made when the data of a read come.
std::uint64_t writes_before_read(std::uint64_t written, std::uint64_t read) {
  Channel channel(find("ddr4-2400"));
  channel.write(0, written, 1);
  channel.read(1, read, 1);
  for (std::uint64_t now = 0; now < 1000; ++now) {
    if (channel.tick(now)) return channel.counters().writes;
  }
  return 1000;
}

TEST(Dram, AReadOfWhatWasJustWrittenWaits) {
  EXPECT_EQ(writes_before_read(4096, 4096 + 512), 1U);
  EXPECT_EQ(writes_before_read(4096, 8192), 0U);
}

TEST(Dram, EveryRequestIsAnswered) {
  for (const Parameters& set : all()) {
    std::mt19937_64 engine(1);
    Dram memory(set, Clock, 2);
    std::array<abi::MemoryRequest, 2> pins;
    std::array<abi::MemoryResponse, 2> responses;
    std::uint64_t wanted = 0, got = 0, writes = 0, answers = 0;
    std::array<std::deque<unsigned>, 2> data;
    for (unsigned i = 0; i < 40000; ++i) {
      const bool asks = i < 30000;
      for (unsigned c = 0; c < 2; ++c) {
        for (unsigned m = 0; m < abi::Masters; ++m) {
          if (pins[c].ar_valid[m] || !asks || engine() % 40 != 0) continue;
          pins[c].ar_valid[m] = true;
          pins[c].ar_address[m] = engine() % 64 * 65536 + engine() % 4 * 1024;
          pins[c].ar_len[m] = static_cast<std::uint8_t>(engine() % abi::BurstBeats);
        }
        if (!pins[c].aw_valid && asks && engine() % 30 == 0) {
          pins[c].aw_valid = true;
          pins[c].aw_address = engine() % 64 * 65536;
          pins[c].aw_len = static_cast<std::uint8_t>(engine() % abi::BurstBeats);
        }
        pins[c].w_valid = !data[c].empty() && (pins[c].w_valid || engine() % 2 == 0);
      }
      memory.clock(pins, responses);
      for (unsigned c = 0; c < 2; ++c) {
        for (unsigned m = 0; m < abi::Masters; ++m) {
          if (responses[c].r_valid[m]) ++got;
          if (!responses[c].ar_ready[m]) continue;
          wanted += pins[c].ar_len[m] + 1U;
          pins[c].ar_valid[m] = false;
        }
        if (responses[c].w_ready && pins[c].w_valid) {
          pins[c].w_valid = false;
          if (--data[c].front() == 0) data[c].pop_front();
        }
        if (responses[c].aw_ready) {
          ++writes;
          data[c].push_back(pins[c].aw_len + 1U);
          pins[c].aw_valid = false;
        }
        if (responses[c].b_valid) ++answers;
      }
    }
    EXPECT_GT(wanted, 1000U) << set.name;
    EXPECT_EQ(wanted, got) << set.name;
    EXPECT_EQ(writes, answers) << set.name;
  }
}

TEST(DramParameters, ArePossible) {
  for (const Parameters& set : all()) {
    EXPECT_LE(set.groups * set.banks, 64U);
    EXPECT_EQ(abi::BeatBytes % set.access_bytes, 0U);
    EXPECT_EQ(set.row_bytes % set.access_bytes, 0U);
    EXPECT_LT(set.refresh, set.refresh_interval);
    EXPECT_FALSE(std::string(set.source).empty());
    for (const unsigned mhz : {100U, 300U, 450U, 600U}) {
      const abi::MemoryParameters memory = effective(set, mhz);
      EXPECT_EQ(memory.bytes, +abi::BeatBytes);
      EXPECT_GT(memory.latency, 5U);
    }
  }
  EXPECT_GT(effective(find("ddr4-2400"), 600).pause, effective(find("ddr4-2400"), 300).pause);
  EXPECT_THROW(find("ddr9"), Error);
  EXPECT_THROW(Dram(find("hbm2"), 300, 0), Error);
}

}  // namespace
}  // namespace espalier::dram

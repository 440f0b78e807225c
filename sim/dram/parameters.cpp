#include "dram/parameters.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "esp_error.hpp"

namespace espalier::dram {
namespace {

// The time from a read's address to its first data beyond that of the DRAM itself, from reads of a quiet memory:
// 73.3 ns for DDR4-2400 and 106.7 ns for HBM2 if the row is open, as measured on an Alveo U280.
constexpr const char* Shuhai = "Wang et al., Shuhai: Benchmarking High Bandwidth Memory on FPGAs, FCCM 2020";

constexpr std::array<Parameters, 2> Sets{{
    {.name = "ddr4-2400",
     .source = "Micron 8Gb: x4, x8, x16 DDR4 SDRAM, MT40A1G8 -083 (2400 MT/s, 17-17-17), as on MTA18ASF modules; "
               "JEDEC JESD79-4",
     .latency_source = Shuhai,
     .clock_mhz = 1200,
     .channels = 1,  // 64 data bits: eight x8 devices
     .access_bytes = 64,
     .access_clocks = 4,
     .groups = 4,
     .banks = 4,
     .row_bytes = 8192,
     .read_latency = 17,
     .write_latency = 12,
     .activate_to_access = 17,  // 14.16 ns
     .precharge = 17,           // 14.16 ns
     .row_active = 39,          // 32 ns
     .access_same_group = 6,    // 5 ns
     .access_other_group = 4,
     .activate_same_group = 6,   // 4.9 ns
     .activate_other_group = 4,  // 3.3 ns
     .four_activates = 26,       // 21 ns
     .write_recovery = 18,       // 15 ns
     .write_to_read_same = 9,    // 7.5 ns
     .write_to_read_other = 3,   // 2.5 ns
     .read_to_precharge = 9,     // 7.5 ns
     .refresh_interval = 9360,   // 7.8 us
     .refresh = 420,             // 350 ns
     .controller_ns = 56,
     .read_queue = 16,
     .write_queue = 16},
    {.name = "hbm2",
     .source = "JEDEC JESD235, 8 Gb per channel at 1.8 Gb/s per pin: four pseudo channels, which is what one switch of "
               "the Alveo U50 and U280 serves (AMD PG276); timing in ns as DRAMsim3's HBM2_8Gb_x128",
     .latency_source = Shuhai,
     .clock_mhz = 900,
     .channels = 4,  // of 64 data bits
     .access_bytes = 32,
     .access_clocks = 2,
     .groups = 4,
     .banks = 4,
     .row_bytes = 1024,
     .read_latency = 13,  // 14 ns
     .write_latency = 4,
     .activate_to_access = 13,  // 14 ns
     .precharge = 13,           // 14 ns
     .row_active = 31,          // 34 ns
     .access_same_group = 4,    // two accesses of other groups
     .access_other_group = 2,
     .activate_same_group = 6,
     .activate_other_group = 4,
     .four_activates = 27,  // 30 ns
     .write_recovery = 15,  // 16 ns
     .write_to_read_same = 8,
     .write_to_read_other = 6,
     .read_to_precharge = 6,
     .refresh_interval = 3510,  // 3.9 us
     .refresh = 234,            // 260 ns
     .controller_ns = 90,
     .read_queue = 16,
     .write_queue = 16},
}};

constexpr unsigned BeatsBetweenPauses = 256;

}  // namespace

std::span<const Parameters> all() { return Sets; }

const Parameters& find(std::string_view name) {
  const auto* const found =
      std::find_if(Sets.begin(), Sets.end(), [&](const Parameters& set) { return name == set.name; });
  if (found != Sets.end()) return *found;
  std::string names;
  for (const Parameters& set : Sets) names += (names.empty() ? "" : " or ") + std::string(set.name);
  throw Error(ErrorCode::Usage, "no such DRAM", "memory", std::string(name), "choose " + names);
}

abi::MemoryParameters effective(const Parameters& p, unsigned mhz) {
  const double clocks = p.read_latency + p.activate_to_access + p.access_clocks;
  const double nanoseconds = p.controller_ns + clocks * 1000.0 / p.clock_mhz;
  const double beats = p.peak_bandwidth() / (1e6 * mhz) / abi::BeatBytes;  // per cycle
  const double refreshed = static_cast<double>(p.refresh + p.precharge) / p.refresh_interval;
  abi::MemoryParameters memory;
  memory.latency = static_cast<unsigned>(std::ceil(nanoseconds * mhz / 1000.0));
  memory.one_bus = beats < 2;
  const double rate = std::min(1.0, beats * (1 - refreshed));
  memory.pause = static_cast<unsigned>(std::lround(BeatsBetweenPauses * (1 / rate - 1)));
  memory.pause_every = memory.pause == 0 ? 0 : BeatsBetweenPauses;
  return memory;
}

}  // namespace espalier::dram

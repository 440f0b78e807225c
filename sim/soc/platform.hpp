// The SystemC platform: a host, one or several cores, an interconnect and one memory that the cores share. No SystemC
// is visible here.
//
//   soc::Platform platform(abi::Array16x16, {.dram = &dram::find("ddr4-2400")}, 2);
//   platform.start(0); platform.start(1);   // begin in the same cycle, when cycles are run
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dram/channel.hpp"
#include "dram/parameters.hpp"
#include "esp_abi.hpp"
#include "esp_memory_model.hpp"
#include "functional/device_memory.hpp"
#include "soc/traffic.hpp"

namespace espalier::soc {

enum class CoreKind {
  Timed,  // functional model and timing model
  Rtl,    // the Verilated accelerator
};

struct Options {
  CoreKind kind = CoreKind::Timed;
  abi::MemoryParameters memory;  // of the contract, unless there is a DRAM
  const dram::Parameters* dram = nullptr;
  unsigned mhz = 300;                           // of the cores and of the interconnect
  std::string trace;                            // Chrome trace of all bursts; empty: none
  std::string waves;                            // FST of each RTL core; empty: none
  std::uint64_t seed = 1;                       // of undefined start values of RTL cores
  std::function<void(std::uint64_t)> progress;  // cycles of the run so far, every million
};

/// What the memory saw in the last run.
struct Report {
  std::uint64_t cycles = 0;  // from the start to the end of the slowest core, and the accesses that start them
  unsigned mhz = 300;
  std::vector<MasterTraffic> masters;
  std::string memory;                         // name of the DRAM, or "fixed latency"
  std::optional<dram::ChannelCounters> dram;  // of all channels
};

/// Any number of platforms may exist in a process; SystemC knows one current simulation only, so they take turns, under
/// a lock. A platform itself is not thread-safe.
class Platform {
 public:
  /// Throws Error(Usage) for an array that the kind of core does not have, for no cores, and for a trace that cannot be
  /// written.
  Platform(const abi::Configuration& configuration, const Options& options, unsigned cores);
  ~Platform();
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  std::string name() const;

  /// Throw Error(Timeout) if the core does not answer.
  std::uint32_t read_register(unsigned core, std::uint32_t offset);
  void write_register(unsigned core, std::uint32_t offset, std::uint32_t value);

  functional::DeviceMemory& memory();
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes);
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes);

  /// A start that is held back until cycles are run, so that several cores begin together.
  void start(unsigned core);
  bool busy(unsigned core) const;  // started, even if held back
  /// Some core can never end.
  bool stuck() const;
  /// Runs at most about this many cycles; false if nothing is left to do.
  bool advance(std::uint64_t cycles);
  /// Power-on state of a core; the others end their runs first.
  void reset(unsigned core);

  Report report() const;

 private:
  struct Parts;
  class Entered;

  void access(unsigned core, bool writes, std::uint32_t offset, std::uint32_t value);
  void release_starts();
  void restart_memory();

  abi::Configuration configuration_;
  Options options_;
  unsigned cores_;
  functional::DeviceMemory bytes_;
  std::vector<bool> held_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace espalier::soc

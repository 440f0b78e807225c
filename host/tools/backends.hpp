// The one place that knows every machine behind a Bus.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compile/timing/predict.hpp"
#include "esp_abi.hpp"
#include "espalier/driver/bus.hpp"
#include "model_loader.hpp"
#include "options.hpp"

namespace espalier::tools {

struct BackendOptions {
  DeviceChoice device;
  abi::Configuration configuration = abi::Array16x16;
  compile::MemoryParameters memory;        // of the RTL simulation, of the platform and of the simulated card
  const dram::Parameters* dram = nullptr;  // of the platform, instead
  unsigned mhz = 300;                      // of the platform
  double stall = 0;                        // probability that the RTL simulation's memory pauses, per cycle and channel
  std::string waves;                       // FST file of the RTL; empty: none
  std::string trace;                       // Chrome trace of the platform; empty: none
  std::function<void(std::uint64_t)> progress;  // of the platform, every million cycles
  std::string xclbin;                           // for XRT; empty: the one built for the array
};

/// Opens a machine. Throws Error (Usage) for options that the machine does not have, Error (Device) if it is not there.
std::unique_ptr<driver::Bus> open_bus(const BackendOptions& options);

/// Machines that share one memory: runs started on several of them begin in the same cycle, when one is waited for.
class Cores {
 public:
  virtual ~Cores() = default;
  /// index below the number of cores.
  virtual driver::Bus& core(unsigned index) = 0;
};

/// Of the RTL simulation or of the platform; waves, traces and stalls as for open_bus().
std::unique_ptr<Cores> open_cores(const BackendOptions& options, unsigned cores);

/// Memory and clock of the settings.
void set_memory(BackendOptions& options, const CompileSettings& settings);

/// A machine that open_bus() can open, for `espalier devices`.
struct BackendInfo {
  std::string device;  // value of --device
  std::vector<std::string> arrays;
  std::string description;
};
std::vector<BackendInfo> list_backends();

}  // namespace espalier::tools

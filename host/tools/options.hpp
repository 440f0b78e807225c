// The small grammars of option values: array sizes, memories, devices, lists, image sizes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compile/timing/predict.hpp"
#include "dram/parameters.hpp"
#include "esp_abi.hpp"
#include "inputs.hpp"

namespace espalier::tools {

/// "8x8", "16x16", "16x16_compact" or "32x32". Throws Error (Usage) naming the known arrays.
abi::Configuration parse_array(std::string_view text);

/// "16x16_compact".
std::string array_text(const abi::Configuration& configuration);

/// All arrays, as array_text() of each.
std::vector<std::string> array_texts();

/// "bytes=64,latency=40"; each key at most once, defaults as in the contract. Throws Error (Usage).
compile::MemoryParameters parse_memory(std::string_view text);

/// The memory of a machine, as cycles are predicted for it and as the SystemC platform simulates it.
struct MemoryChoice {
  compile::MemoryParameters parameters;
  const dram::Parameters* dram = nullptr;  // none: the memory of the contract
  unsigned mhz = 300;                      // of the machine, for a DRAM
};

/// "bytes=64,latency=40", or a DRAM by name with the clock of the machine in MHz: "ddr4-2400@300", "hbm2@300"; 300 if
/// there is none. Throws Error (Usage).
MemoryChoice parse_memory_choice(std::string_view text);

enum class DeviceKind { Functional, Rtl, Soc, SocRtl, Xrt };

struct DeviceChoice {
  DeviceKind kind = DeviceKind::Functional;
  unsigned index = 0;  // of the XRT card
  unsigned core = 0;   // of its image
};

/// The devices that a command has: machines, and for some the CPU, which is none and which they look for themselves.
enum class DeviceNames { Machines, MachinesAndCpu };
/// "functional", "rtl", "soc", "soc-rtl", "xrt", "xrt:N" or "xrt:N.CORE". Throws Error (Usage) that lists `names`.
DeviceChoice parse_device(std::string_view text, DeviceNames names = DeviceNames::Machines);

/// "functional", "rtl", "xrt:0", "xrt:0.1".
std::string device_text(const DeviceChoice& choice);

/// "28x28" (height x width). Throws Error (Usage).
ImageSize parse_size(std::string_view text);

/// "nchw" or "nhwc". Throws Error (Usage).
Layout parse_layout(std::string_view text);

/// Numbers separated by commas. Throws Error (Usage) naming `option`.
std::vector<double> parse_numbers(std::string_view text, const std::string& option);

}  // namespace espalier::tools

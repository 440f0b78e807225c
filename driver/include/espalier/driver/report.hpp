// What the machine's error registers mean, in words.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "esp_error.hpp"

namespace espalier::driver {

/// RegError, RegErrorPosition, RegErrorDetail after a run.
struct MachineError {
  std::uint32_t code = 0;
  std::uint32_t position = 0;
  std::uint32_t detail = 0;
};

/// "load", "weight", ...; "opcode N" for others.
std::string opcode_name(unsigned opcode);

/// The exception for an error of the machine; Timeout for ErrorTimeout, Device for all others. `commands` is the list
/// that ran (64 bytes each), to decode the command at fault.
Error to_error(const MachineError& error, const std::string& device, std::span<const std::uint8_t> commands);

}  // namespace espalier::driver

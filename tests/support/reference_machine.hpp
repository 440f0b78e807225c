// The contract as a program of plain loops: what a command list does, word by word and pixel by pixel, one command
// after another. An oracle for the machines, far too slow for anything else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compile/device_program.hpp"
#include "esp_abi.hpp"

namespace espalier::test {

struct ReferenceResult {
  std::vector<std::uint8_t> output;  // window 2
  std::uint64_t macs = 0;            // RegMacs
};

/// Runs a valid program. Windows hold what the program says; output and scratchpad start with zeros.
ReferenceResult run_reference(const compile::DeviceProgram& program, std::span<const std::uint8_t> input,
                              const abi::Configuration& configuration);

}  // namespace espalier::test

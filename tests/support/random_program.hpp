// Random command lists, valid by construction: every unit, format, operation and wait is used, results never race.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/device_program.hpp"
#include "esp_abi.hpp"
#include "random.hpp"

namespace espalier::test {

struct RandomProgram {
  compile::DeviceProgram program;
  std::vector<std::uint8_t> input;
};

/// Builds a program of `layers` rounds of load, tables, weights, compute and store for the array, with what it
/// understands.
RandomProgram random_program(const abi::Configuration& configuration, Random& random, int layers);

}  // namespace espalier::test

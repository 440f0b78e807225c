// The executable timing model: how many cycles a machine takes for a program, equal to the RTL to the cycle.
//
//   Prediction p = predict(program, abi::Array16x16, {.latency = 40});
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compile/device_program.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// The memory of the contract: one read beat and one write beat per cycle for all masters together.
struct MemoryParameters {
  unsigned bytes = abi::BeatBytes;         // bytes per cycle and direction: 64 / 2^n; a beat then takes 64 / bytes cycles
  unsigned latency = abi::MemoryLatency;  // cycles from acceptance to the first beat, and from last beat to response
};

/// Cycle counts of one run, as the registers of the contract report them.
struct Prediction {
  std::uint32_t cycles = 0;
  std::uint32_t computing = 0, weights = 0, output = 0, data = 0, writing = 0, control = 0;
  std::uint32_t read_beats = 0, write_beats = 0, macs = 0;
  std::vector<std::uint32_t> marks;  // MarkDepth entries; 0 where no OpMark wrote

  bool operator==(const Prediction&) const = default;
};

/// Runs the timing model. Throws espalier::Error (Program) if the program would be refused by the machine or never ends.
Prediction predict(const DeviceProgram& program, const abi::Configuration& configuration,
                   const MemoryParameters& memory = {});

}  // namespace espalier::compile

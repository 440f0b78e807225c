// What tests of the platform share: programs, counters, comparison.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "compile/timing/predict.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "random_program.hpp"

namespace espalier::test {

inline driver::Program view(const compile::DeviceProgram& program) {
  return {program.image,        program.command_offset, program.command_count, program.input_bytes,
          program.output_bytes, program.arena_bytes,    abi::MarkDepth};
}

inline compile::Prediction measured(const driver::RunResult& result) {
  const driver::Counters& c = result.counters;
  return {c.cycles,  c.computing,  c.weights,     c.output, c.data,       c.writing,
          c.control, c.read_beats, c.write_beats, c.macs,   result.marks, {}};
}

/// Counters, and the marks that `expected` has.
inline void expect_same(compile::Prediction expected, compile::Prediction actual) {
  for (std::size_t i = 0; i < expected.marks.size(); ++i) {
    if (expected.marks[i] == 0) actual.marks[i] = 0;
  }
  expected.causes_at_marks.clear();
  actual.causes_at_marks.clear();
  EXPECT_EQ(expected.cycles, actual.cycles);
  EXPECT_EQ(expected.read_beats, actual.read_beats);
  EXPECT_EQ(expected.write_beats, actual.write_beats);
  EXPECT_TRUE(expected == actual);
}

inline driver::RunResult run_functional(const RandomProgram& p, const abi::Configuration& configuration) {
  functional::FunctionalBus bus(configuration);
  return driver::Device(bus).run({view(p.program), p.input, {}});
}

}  // namespace espalier::test

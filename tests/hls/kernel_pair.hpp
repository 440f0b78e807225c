// The same run on the HLS kernels and on the functional model.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "compile/device_program.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "functional/hls_bus.hpp"

namespace espalier::test {

/// One run on a machine in its power-on state.
inline driver::RunResult run_program(driver::Bus& bus, const compile::DeviceProgram& program,
                                     std::span<const std::uint8_t> input) {
  driver::Device device(bus);
  return device.run({{program.image, program.command_offset, program.command_count, program.input_bytes,
                      program.output_bytes, program.arena_bytes, abi::MarkDepth},
                     input,
                     {}});
}

/// Every output byte and every counter that is not a time.
inline void expect_same(const driver::RunResult& kernels, const driver::RunResult& model) {
  EXPECT_EQ(kernels.counters.read_beats, model.counters.read_beats);
  EXPECT_EQ(kernels.counters.write_beats, model.counters.write_beats);
  EXPECT_EQ(kernels.counters.macs, model.counters.macs);
  ASSERT_EQ(kernels.output.size(), model.output.size());
  const auto wrong = std::mismatch(model.output.begin(), model.output.end(), kernels.output.begin());
  EXPECT_EQ(wrong.first, model.output.end()) << "byte " << wrong.first - model.output.begin();
}

}  // namespace espalier::test

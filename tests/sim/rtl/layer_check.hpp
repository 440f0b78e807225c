// One layer on all machines: the bytes of the CPU reference everywhere, and the predicted cycles on the RTL.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../../host/compile/execution.hpp"
#include "esp_arrays.hpp"
#include "model/layer_text.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier::test {

/// Compiles the layer and runs it on the CPU, the functional model and the RTL. `index`: of the case.
inline void check_layer(const std::string& text, int index, const abi::Configuration& configuration,
                        compile::Options options = {}) {
  SCOPED_TRACE(text + " on " + abi::array_name(configuration));
  Random random(static_cast<std::uint64_t>(index));
  const model::Network network = model::parse_layer(text, static_cast<std::uint64_t>(index));
  options.memory.latency = static_cast<unsigned>(random.between(1, 100));
  const compile::Compiled compiled = compile::compile(network, configuration, options);
  const std::vector<cpu::Tensor> inputs = random_inputs(network, random);
  EXPECT_EQ(differences(network, compiled, inputs), "");

  rtl::RtlBus bus(configuration, {.memory = options.memory, .seed = static_cast<std::uint64_t>(index) + 1});
  driver::Device device(bus);
  const std::vector<std::uint8_t> packed = compile::pack(compiled, inputs);
  const compile::DeviceProgram& program = compiled.program;
  const driver::RunResult result = device.run({{program.image, program.command_offset, program.command_count,
                                                program.input_bytes, program.output_bytes, program.arena_bytes, 2},
                                               packed,
                                               {}});
  const std::vector<cpu::Tensor> outputs = compile::unpack(compiled, result.output);
  EXPECT_EQ(outputs, execute(compiled, inputs));

  const compile::LayerCycles measured = compile::layer_cycles(compiled, result.marks, result.counters.cycles);
  EXPECT_EQ(measured.prologue, compiled.prologue_cycles);
  EXPECT_EQ(measured.layers.front(), compiled.layers.front().predicted_cycles);
  EXPECT_EQ(measured.epilogue, compiled.epilogue_cycles);
  EXPECT_EQ(result.counters.cycles, compiled.total_cycles);
}

}  // namespace espalier::test

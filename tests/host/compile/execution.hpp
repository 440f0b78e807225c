// Compiles a network, runs it on the functional machine and compares every output byte with the CPU reference.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "cpu/reference.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "model/network.hpp"
#include "random.hpp"

namespace espalier::test {

/// Random int8 values for every input of a network.
inline std::vector<cpu::Tensor> random_inputs(const model::Network& network, Random& random) {
  std::vector<cpu::Tensor> tensors;
  for (const int input : network.inputs) {
    cpu::Tensor& tensor = tensors.emplace_back(network.features[static_cast<std::size_t>(input)].elements());
    for (auto& value : tensor) value = random.byte();
  }
  return tensors;
}

/// The outputs of one run of a compiled network on the functional machine.
inline std::vector<cpu::Tensor> execute(const compile::Compiled& compiled, const std::vector<cpu::Tensor>& inputs) {
  functional::FunctionalBus bus(compiled.configuration);
  driver::Device device(bus);
  const std::vector<std::uint8_t> packed = compile::pack(compiled, inputs);
  driver::Job job;
  job.program.image = compiled.program.image;
  job.program.command_offset = compiled.program.command_offset;
  job.program.command_count = compiled.program.command_count;
  job.program.input_bytes = compiled.program.input_bytes;
  job.program.output_bytes = compiled.program.output_bytes;
  job.program.arena_bytes = compiled.program.arena_bytes;
  driver::Loaded loaded = device.load(job.program);
  loaded.write_input(packed);
  std::vector<std::uint8_t> output;
  for (std::size_t i = 0; i < compile::stage_count(compiled.program); ++i) {
    const compile::CommandRange range = compile::stage(compiled.program, i);
    loaded.start_part(range.offset, range.count);
    output = loaded.wait().output;
    // Nothing but the memory is passed on: a reset between stages changes nothing.
    bus.reset();
  }
  return compile::unpack(compiled, output);
}

/// The first differences, one line each; empty if every byte agrees.
inline std::string differences(const model::Network& network, const compile::Compiled& compiled,
                               const std::vector<cpu::Tensor>& inputs) {
  const std::vector<cpu::Tensor> features = cpu::run(network, inputs);
  const std::vector<cpu::Tensor> outputs = execute(compiled, inputs);
  std::string text;
  int count = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const cpu::Tensor& expected = features[static_cast<std::size_t>(network.outputs[i])];
    if (expected.size() != outputs[i].size()) return "output " + std::to_string(i) + " has another size";
    for (std::size_t e = 0; e < expected.size() && count < 8; ++e) {
      if (expected[e] == outputs[i][e]) continue;
      ++count;
      text += "output " + std::to_string(i) + " element " + std::to_string(e) + ": expected " +
              std::to_string(expected[e]) + ", is " + std::to_string(outputs[i][e]) + "\n";
    }
  }
  return text;
}

}  // namespace espalier::test

// Random layers, compiled and run on the RTL with a memory of fixed latency:
//   - every output byte equals that of the CPU reference and of the functional model
//   - the cycles of every row (prologue, layer, epilogue) equal the prediction, and so does every counter
#include <gtest/gtest.h>

#include "../../host/compile/execution.hpp"
#include "model/layer_text.hpp"
#include "random_layer.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 25;

void check(const std::string& text, int index, const abi::Configuration& configuration) {
  const std::string size = std::to_string(configuration.lanes);
  SCOPED_TRACE(text + " on " + size + "x" + size);
  Random random(static_cast<std::uint64_t>(index));
  const model::Network network = model::parse_layer(text, static_cast<std::uint64_t>(index));
  compile::Options options;
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

class RtlLayers : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(RtlLayers, GiveTheBitsOfTheReferenceInThePredictedCycles) {
  const auto [lanes, part] = GetParam();
  const abi::Configuration& configuration = lanes == 8    ? abi::Array8x8
                                            : lanes == 16 ? abi::Array16x16
                                                          : abi::Array32x32;
  for (int index = part * LayersPerTest; index < (part + 1) * LayersPerTest; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    check(random_layer(random), index, configuration);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, RtlLayers, ::testing::Combine(::testing::Values(8, 16, 32), ::testing::Range(0, 8)),
                         [](const auto& info) {
                           return "Array" + std::to_string(std::get<0>(info.param)) + "Part" +
                                  std::to_string(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace espalier::test

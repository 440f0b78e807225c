// Random layers of every kind, format and mode, compiled and run on the HLS kernels as two compilers translate them:
//   - the same output bytes and counters as the functional model
// What the layers use of the contract is counted and printed.
#include <iostream>
#include <map>
#include <string>

#include "../host/compile/execution.hpp"
#include "kernel_pair.hpp"
#include "model/layer_text.hpp"
#include "other_compiler.hpp"
#include "random_layer.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 25;

/// What has been seen, over all tests of the process.
std::map<std::string, int>& uses() {
  static std::map<std::string, int> counts;
  return counts;
}

/// Counts the modes, splits, operations and formats of a program, each once.
void count_uses(const compile::DeviceProgram& program) {
  std::map<std::string, int> found{{"layers", 1}};
  for (std::uint32_t i = 0; i < program.command_count; ++i) {
    const std::size_t at = (std::size_t{program.command_offset} + i) * abi::BeatBytes;
    const abi::Command command =
        abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(program.image.data() + at, abi::BeatBytes));
    if (command.opcode == abi::OpWeight) found["format " + std::to_string(command.format)] = 1;
    if (command.opcode != abi::OpCompute) continue;
    found["weights " + std::to_string(command.weights)] = 1;
    found["split " + std::to_string(command.split)] = 1;
    found["operation " + std::to_string(command.operation)] = 1;
    if ((command.flags & abi::FlagBroadcast) != 0) found["broadcast"] = 1;
  }
  for (const auto& [name, count] : found) uses()[name] += count;
}

class KernelLayers : public ::testing::TestWithParam<int> {
 protected:
  static void TearDownTestSuite() {
    for (const auto& [name, count] : uses()) std::cout << name << ": " << count << "\n";
  }
};

compile::Options random_options(Random& random) {
  compile::Options options;
  options.timing = false;
  options.mode = random.chance(0.3) ? compile::Mode::Sparse : compile::Mode::Auto;
  const int format = random.between(0, 5);
  options.weight_format = format <= 2   ? compile::WeightFormat::Auto
                          : format == 3 ? compile::WeightFormat::Fixed
                                        : compile::WeightFormat::Huffman;
  return options;
}

TEST_P(KernelLayers, GiveTheBitsOfTheModel) {
  for (int index = GetParam() * LayersPerTest; index < (GetParam() + 1) * LayersPerTest; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const int size = random.between(0, 2);
    const abi::Configuration& configuration = size == 0 ? abi::Array8x8 : size == 1 ? abi::Array16x16 : abi::Array32x32;
    const std::string text = random.chance(0.5) ? random_layer(random) : random_weights(random);
    SCOPED_TRACE(text + " on " + std::to_string(configuration.lanes) + " lanes");
    const model::Network network = model::parse_layer(text, static_cast<std::uint64_t>(index));
    const compile::Compiled compiled = compile::compile(network, configuration, random_options(random));
    const std::vector<std::uint8_t> input = compile::pack(compiled, random_inputs(network, random));
    count_uses(compiled.program);

    functional::FunctionalBus model(configuration);
    functional::HlsBus kernels(configuration);
    functional::HlsBus others(make_other_core(configuration));
    const driver::RunResult expected = run_program(model, compiled.program, input);
    expect_same(run_program(kernels, compiled.program, input), expected);
    expect_same(run_program(others, compiled.program, input), expected);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, KernelLayers, ::testing::Range(0, 4));

}  // namespace
}  // namespace espalier::test

// Random layers of every kind, format, pattern and mode on every array, compiled and run on the HLS kernels as two
// compilers translate them:
//   - the outputs of the CPU reference
//   - the output window and the executed entries of the contract as plain loops
//   - one in four on the RTL as well: the same output window and the same counters of beats and entries, in the
//     predicted cycles
// What the layers use of the contract is counted and printed.
#include <iostream>
#include <map>
#include <string>

#include "../host/compile/execution.hpp"
#include "esp_arrays.hpp"
#include "model/layer_text.hpp"
#include "other_compiler.hpp"
#include "random_layer.hpp"
#include "reference_machine.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 25;
constexpr int LayersPerRtlRun = 4;

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
  using compile::Mode;
  using compile::WeightFormat;
  constexpr std::array Modes{Mode::Auto, Mode::Auto, Mode::Sparse, Mode::Dense};
  constexpr std::array Formats{WeightFormat::Auto, WeightFormat::Raw, WeightFormat::Fixed, WeightFormat::Huffman};
  compile::Options options;
  options.mode = Modes[static_cast<std::size_t>(random.between(0, 3))];
  options.weight_format = Formats[static_cast<std::size_t>(random.between(0, 3))];
  if (random.chance(0.3)) options.split = 1 << random.between(0, 3);
  return options;
}

driver::RunResult run_program(driver::Bus& bus, const compile::DeviceProgram& program,
                              const std::vector<std::uint8_t>& input) {
  driver::Device device(bus);
  return device.run({{program.image, program.command_offset, program.command_count, program.input_bytes,
                      program.output_bytes, program.arena_bytes, abi::MarkDepth},
                     input,
                     {}});
}

/// Every output byte and every counter that is not a time.
void expect_same(const driver::RunResult& actual, const driver::RunResult& expected) {
  EXPECT_EQ(actual.counters.read_beats, expected.counters.read_beats);
  EXPECT_EQ(actual.counters.write_beats, expected.counters.write_beats);
  EXPECT_EQ(actual.counters.macs, expected.counters.macs);
  ASSERT_EQ(actual.output.size(), expected.output.size());
  const auto wrong = std::mismatch(expected.output.begin(), expected.output.end(), actual.output.begin());
  EXPECT_EQ(wrong.first, expected.output.end()) << "byte " << wrong.first - expected.output.begin();
}

void check_layer(const model::Network& network, const compile::Compiled& compiled,
                 const std::vector<cpu::Tensor>& inputs, bool rtl) {
  const std::vector<std::uint8_t> input = compile::pack(compiled, inputs);
  functional::FunctionalBus kernels(compiled.configuration);
  functional::FunctionalBus others(make_other_core(compiled.configuration));
  const driver::RunResult result = run_program(kernels, compiled.program, input);
  expect_same(run_program(others, compiled.program, input), result);

  const std::vector<cpu::Tensor> features = cpu::run(network, inputs);
  std::vector<cpu::Tensor> expected;
  for (const int output : network.outputs) expected.push_back(features[static_cast<std::size_t>(output)]);
  EXPECT_EQ(compile::unpack(compiled, result.output), expected);

  const ReferenceResult reference = run_reference(compiled.program, input, compiled.configuration);
  EXPECT_EQ(result.output, reference.output);
  EXPECT_EQ(result.counters.macs, static_cast<std::uint32_t>(reference.macs));
  if (!rtl) return;
  rtl::RtlBus bus(compiled.configuration, {.memory = compiled.memory});
  const driver::RunResult measured = run_program(bus, compiled.program, input);
  expect_same(measured, result);
  EXPECT_EQ(measured.counters.cycles, compiled.total_cycles);
  ++uses()["on the RTL as well"];
}

TEST_P(KernelLayers, GiveTheBitsOfEveryReference) {
  for (int index = GetParam() * LayersPerTest; index < (GetParam() + 1) * LayersPerTest; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const int size = random.between(0, 2);
    const abi::Configuration& medium = index % 3 == 0 ? abi::Array16x16Compact : abi::Array16x16;
    const abi::Configuration& configuration = size == 0 ? abi::Array8x8 : size == 1 ? medium : abi::Array32x32;
    const std::string text = random.chance(0.5) ? random_layer(random) : random_weights(random);
    SCOPED_TRACE(text + " on " + abi::array_name(configuration));
    const model::Network network = model::parse_layer(text, static_cast<std::uint64_t>(index));
    const bool rtl = index % LayersPerRtlRun == 0;
    compile::Options options = random_options(random);
    if (!configuration.coded) options.weight_format = compile::WeightFormat::Auto;
    options.timing = rtl;
    const compile::Compiled compiled = compile::compile(network, configuration, options);
    count_uses(compiled.program);
    ++uses()["array " + abi::array_name(configuration)];
    check_layer(network, compiled, random_inputs(network, random), rtl);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, KernelLayers, ::testing::Range(0, 4));

}  // namespace
}  // namespace espalier::test

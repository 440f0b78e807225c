// Random layers with weights of every set of values, in every format, on the RTL with memories of several widths:
//   - every output byte equals that of the CPU reference and of the functional model
//   - the cycles of every row equal the prediction
#include <gtest/gtest.h>

#include "layer_check.hpp"
#include "random_layer.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 9;

class RtlFormats : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(RtlFormats, GiveTheBitsOfTheReferenceInThePredictedCycles) {
  const auto [lanes, part] = GetParam();
  const abi::Configuration& configuration = lanes == 8    ? abi::Array8x8
                                            : lanes == 16 ? abi::Array16x16
                                                          : abi::Array32x32;
  for (int index = part * LayersPerTest; index < (part + 1) * LayersPerTest; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const std::string text = random_weights(random);
    compile::Options options;
    options.memory.bytes = 64U >> random.between(0, 2);
    options.mode = random.chance(0.4) ? compile::Mode::Sparse : compile::Mode::Auto;
    const int format = random.between(0, 4);
    options.weight_format = format == 0   ? compile::WeightFormat::Auto
                            : format <= 2 ? compile::WeightFormat::Fixed
                                          : compile::WeightFormat::Huffman;
    check_layer(text, index, configuration, options);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, RtlFormats, ::testing::Combine(::testing::Values(8, 16, 32), ::testing::Range(0, 4)),
                         [](const auto& info) {
                           return "Array" + std::to_string(std::get<0>(info.param)) + "Part" +
                                  std::to_string(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace espalier::test

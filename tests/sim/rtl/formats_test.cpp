// Random layers with weights of every set of values and every pattern of zeros, in every format, on the RTL with
// memories of several widths:
//   - every output byte equals that of the CPU reference and of the functional model
//   - the cycles of every row equal the prediction
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>

#include "layer_check.hpp"
#include "random_layer.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 9;

constexpr std::array<const char*, 4> FormatNames{"auto", "raw", "fixed", "huffman"};  // as WeightFormat
constexpr std::array<const char*, 3> ModeNames{"auto", "dense", "sparse"};            // as Mode

/// What has been compared, for those who read the output of a proof.
class Tally : public ::testing::Environment {
 public:
  void count(const std::string& kind) { ++counts_[kind]; }
  void TearDown() override {
    if (counts_.empty()) return;
    std::cout << "compared so far on CPU reference, functional model and RTL:";
    for (const auto& [kind, count] : counts_) std::cout << "  " << kind << " " << count;
    std::cout << std::endl;
  }

 private:
  std::map<std::string, int> counts_;  // over all repetitions
};
Tally* const tally = static_cast<Tally*>(::testing::AddGlobalTestEnvironment(new Tally));

/// The pattern that a layer's text asks for.
std::string pattern_of(const std::string& text) {
  for (const char* pattern : {"pattern2:4", "block4x4", "pattern4of9"})
    if (text.find(pattern) != std::string::npos) return pattern;
  return "unstructured";
}

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
    constexpr std::array Modes{compile::Mode::Auto, compile::Mode::Auto, compile::Mode::Sparse, compile::Mode::Sparse,
                               compile::Mode::Dense};
    options.mode = Modes[static_cast<std::size_t>(random.between(0, 4))];
    constexpr std::array Formats{compile::WeightFormat::Auto,    compile::WeightFormat::Raw,
                                 compile::WeightFormat::Fixed,   compile::WeightFormat::Fixed,
                                 compile::WeightFormat::Huffman, compile::WeightFormat::Huffman};
    if (random.chance(0.3)) options.split = 1 << random.between(0, 3);
    options.weight_format = Formats[static_cast<std::size_t>(random.between(0, 5))];
    check_layer(text, index, configuration, options);
    tally->count("all layers");
    tally->count("array " + std::to_string(lanes));
    tally->count(std::string("format ") + FormatNames[static_cast<std::size_t>(options.weight_format)]);
    tally->count(std::string("mode ") + ModeNames[static_cast<std::size_t>(options.mode)]);
    tally->count(pattern_of(text));
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

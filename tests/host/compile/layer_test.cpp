// Random layers of every kind, compiled for all arrays:
// - every output byte is that of the CPU reference;
// - dense and sparse streams, and any number of channels in a word, give the same bytes;
// - the report's rows sum to the predicted total;
// - options out of range and maps that are too large are refused.
#include <gtest/gtest.h>

#include <numeric>
#include <optional>

#include "arrays.hpp"
#include "esp_error.hpp"
#include "execution.hpp"
#include "model/layer_text.hpp"
#include "random_layer.hpp"

namespace espalier::test {
namespace {

class RandomLayers : public ::testing::TestWithParam<int> {};

void check(const std::string& text, int index, const abi::Configuration& configuration, compile::Mode mode,
           std::optional<int> split = std::nullopt) {
  SCOPED_TRACE(text + " on " + abi::array_name(configuration) + ", split " + (split ? std::to_string(*split) : "any"));
  Random random(static_cast<std::uint64_t>(index));
  const model::Network network = model::parse_layer(text, static_cast<std::uint64_t>(index));
  compile::Options options;
  options.mode = mode;
  options.split = split;
  const compile::Compiled compiled = compile::compile(network, configuration, options);
  EXPECT_EQ(differences(network, compiled, random_inputs(network, random)), "");
  const auto sum = std::accumulate(compiled.layers.begin(), compiled.layers.end(), std::uint64_t{0},
                                   [](auto total, const auto& layer) { return total + layer.predicted_cycles; });
  EXPECT_EQ(sum + compiled.prologue_cycles + compiled.epilogue_cycles, compiled.total_cycles);
}

TEST_P(RandomLayers, GiveTheBytesOfTheReference) {
  for (int index = GetParam() * 20; index < GetParam() * 20 + 20; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const std::string text = random_layer(random);
    for (const auto& configuration : arrays_of_case(index)) {
      const auto mode = static_cast<compile::Mode>(random.between(0, 2));
      const std::optional<int> split = random.chance(0.7) ? std::optional(1 << random.between(0, 3)) : std::nullopt;
      ASSERT_NO_FATAL_FAILURE(check(text, index, configuration, mode, split));
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layer, RandomLayers, ::testing::Range(0, 15));

class StreamedLayers : public ::testing::TestWithParam<const char*> {};

TEST_P(StreamedLayers, GiveTheBytesOfTheReference) {
  for (const auto& configuration : {abi::Array8x8, abi::Array16x16Compact}) {
    check(GetParam(), 0, configuration, compile::Mode::Auto);
  }
}

INSTANTIATE_TEST_SUITE_P(Layer, StreamedLayers,
                         ::testing::Values("conv ic512 ih14 oc64 kh3 ph1 density0.05",  // strips, channel pieces
                                           "conv ic2048 ih7 oc40 density0.2",           // strips of one row
                                           "conv ic1 ih200 oc20 kh3 ph1 density0.4",    // one input channel
                                           "conv ic3 ih224 oc9 kh7 ph3 sh2",            // more positions than entries
                                           "conv ic20 ih112 g20 oc40 kh3 ph1",          // pieces of groups
                                           "add ic3 ih224", "add ic120 ih40",           // strips, pieces
                                           "maxpool ic3 ih400 kh3 ph1 sh2", "avgpool ic50 ih60 kh3 ph1",
                                           "concat ic40 ih40 n3", "gavgpool ic2048 ih7",
                                           "conv ic1100 ih3 oc5 kh3 ph1",  // rows longer than the ring
                                           "fc ic9000 oc9", "fc ic128 ih10 oc20 density0.1"));

class SplitLayers : public ::testing::TestWithParam<const char*> {};

TEST_P(SplitLayers, GiveTheBytesOfTheReference) {
  for (const auto& configuration : all_arrays()) {
    for (int split = 1; split <= 8; split *= 2) check(GetParam(), 0, configuration, compile::Mode::Auto, split);
  }
}

INSTANTIATE_TEST_SUITE_P(Layer, SplitLayers,
                         ::testing::Values("conv ic37 ih14 oc45 kh3 ph1",             // channels that fill no word
                                           "conv ic64 ih7 oc64 kh3 ph1 density0.1",   // few weights in common
                                           "conv ic24 ih14 g24 oc24 kh3 ph1",         // depthwise
                                           "conv ic21 ih9 g21 oc21 kh5 ph2 sh2 sw2",  // depthwise, strides
                                           "conv ic64 ih7 g8 oc32 kh3 ph1",           // groups that fill words
                                           "conv ic30 ih8 g10 oc20 kh3 ph1",          // groups that do not
                                           "conv ic600 ih7 oc24 kh3 ph1",             // long rows
                                           "gavgpool ic50 ih7", "gmaxpool ic9 ih6 iw3", "fc ic500 oc30",
                                           "maxpool ic13 ih14 kh3 ph1 sh2 sw2", "avgpool ic13 ih9 kh3 ph1",
                                           "add ic13 ih7", "concat ic13 ih7 n3", "requantise ic5 ih6"));

ErrorCode refusal(const model::Network& network, const compile::Options& options = {}) {
  try {
    compile::compile(network, abi::Array8x8, options);
  } catch (const Error& error) {
    EXPECT_FALSE(error.action().empty()) << error.what();
    return error.code();
  }
  ADD_FAILURE() << "compiled";
  return ErrorCode::Internal;
}

TEST(Refused, OptionsAndMapsOutOfRange) {
  model::Network network = model::parse_layer("conv ic3 ih1 oc2");
  compile::Options options;
  options.split = 0;
  EXPECT_EQ(refusal(network, options), ErrorCode::Usage);
  options.split.reset();
  options.memory.bytes = 0;
  EXPECT_EQ(refusal(network, options), ErrorCode::Usage);
  network.layers[0].stride_w = 1 << 30;
  EXPECT_EQ(refusal(network), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace espalier::test

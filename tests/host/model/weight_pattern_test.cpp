// Properties: the structure that a mask was made with is recognised from the weights; channels without weights are
// counted and do not hide it; unlike structures are not taken for one.
#include "model/weight_pattern.hpp"

#include <gtest/gtest.h>

#include "model/layer_text.hpp"

namespace espalier::model {
namespace {

std::string pattern_of(const std::string& text) {
  const Network network = parse_layer(text);
  const Layer& layer = network.layers[0];
  return weight_pattern(layer.weights, weight_shape(network, layer));
}

TEST(WeightPattern, NamesWhatMasksWereMadeWith) {
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1"), "dense");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 density0.3"), "unstructured");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 density0"), "empty");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 pattern2:4"), "2:4");
  EXPECT_EQ(pattern_of("conv ic64 ih8 oc64 pattern2:4 density0.4"), "2:4");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 block4x4 density0.25"), "block4x4");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 pattern4of9"), "pattern4of9");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 pattern4of9 density0.2"), "pattern4of9");
  EXPECT_EQ(pattern_of("conv ic32 ih8 oc32 kh3 ph1 g32"), "dense");
}

TEST(WeightPattern, CountsChannelsThatArePruned) {
  const WeightShape shape{8, 8, 3, 3};
  std::vector<std::int8_t> weights(shape.count(), 5);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t output = i / shape.row(), input = i % shape.row() / shape.taps();
    if (output < 3 || input % 2 == 1) weights[i] = 0;
  }
  EXPECT_EQ(weight_pattern(weights, shape), "dense, 5 of 8 outputs, 4 of 8 inputs");
}

TEST(WeightPattern, LeavesChannelsOfBlocksAside) {
  const WeightShape shape{16, 16, 1, 1};
  std::vector<std::int8_t> weights(shape.count(), 0);
  for (std::size_t output = 0; output < 16; ++output) {
    for (std::size_t input = 0; input < 16; ++input) {
      const bool block = (output / 4 + input / 4) % 2 == 0;
      if (block && output != 6) weights[output * 16 + input] = 1;
    }
  }
  EXPECT_EQ(weight_pattern(weights, shape), "block4x4, 15 of 16 outputs");
}

}  // namespace
}  // namespace espalier::model

// Properties: worked examples of every layer kind; synthetic layers use the int8 range without saturating everywhere;
// inputs of the wrong size are refused.
#include "cpu/reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "esp_error.hpp"
#include "model/layer_text.hpp"
#include "random.hpp"

namespace espalier::cpu {
namespace {

using model::parse_layer;

std::vector<Tensor> random_inputs(const model::Network& network, test::Random& random) {
  std::vector<Tensor> inputs;
  for (const int index : network.inputs) {
    Tensor tensor(network.features[static_cast<std::size_t>(index)].elements());
    for (auto& value : tensor) value = random.byte();
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Tensor output(const model::Network& network, const std::vector<Tensor>& inputs) {
  return run(network, inputs)[static_cast<std::size_t>(network.outputs[0])];
}

TEST(Reference, ConvolvesByHand) {
  model::Network network = parse_layer("conv ic1 ih2 oc1 kh2 ph1");
  model::Layer& layer = network.layers[0];
  layer.weights = {1, 2, 3, 4};
  layer.bias = {10};
  layer.scale = {abi::make_scale(0.5)};
  network.features[0].zero = 1;
  network.features[1].zero = -2;
  // Padding holds the zero point: every tap outside of the map contributes nothing.
  const Tensor result = output(network, {{2, 3, 4, 5}});
  const std::int32_t sums[9] = {4, 11, 6, 14, 30, 14, 6, 11, 4};
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(result[i], abi::requantise(10 + sums[i], 1, 1, -2, -128, 127)) << i;
}

TEST(Reference, PoolsByHand) {
  model::Network network = parse_layer("avgpool ic1 ih2 kh2 ph1");
  network.layers[0].ratio = 1;
  network.features[0].zero = network.features[1].zero = 3;
  EXPECT_EQ(output(network, {{4, 6, 8, 10}}), (Tensor{4, 5, 6, 6, 7, 8, 8, 9, 10}));
  network.layers[0].count_include_padding = true;
  EXPECT_EQ(output(network, {{4, 6, 8, 10}})[0], 3);  // 1 / 4 rounds to 0
  network = parse_layer("maxpool ic1 ih2 kh2 ph1");
  EXPECT_EQ(output(network, {{-4, -6, -8, -10}}), (Tensor{-4, -4, -6, -4, -4, -6, -8, -8, -10}));
}

TEST(Reference, GivesTheWholeMapToGlobalPools) {
  model::Network network = parse_layer("gmaxpool ic2 ih2");
  EXPECT_EQ(output(network, {{1, 2, 3, 4, -5, -6, -7, -8}}), (Tensor{4, -5}));
  network = parse_layer("gavgpool ic2 ih2");
  network.layers[0].ratio = 1;
  network.features[0].zero = network.features[1].zero = 0;
  EXPECT_EQ(output(network, {{1, 2, 3, 4, -5, -6, -7, -8}}), (Tensor{2, -6}));  // 2.5 and -6.5: ties to even
}

TEST(Reference, CopiesEqualScalesAndRequantisesOthersInConcat) {
  model::Network network = parse_layer("concat ic1 ih1");
  network.features[0].zero = network.features[2].zero = 5;
  network.features[1].zero = -1;
  network.features[1].scale = network.features[2].scale * 2;
  network.layers[0].scale[1] = abi::make_scale(2);
  EXPECT_EQ(output(network, {{9}, {9}}), (Tensor{9, 25}));
}

TEST(Reference, AddsWithOneRounding) {
  model::Network network = parse_layer("add ic1 ih1 iw2");
  for (auto& feature : network.features) feature.zero = 0;
  network.layers[0].scale = {{1, 2}};
  network.layers[0].multiplier_b = 1;
  // (1 + 1) / 4 and (3 + 3) / 4: two roundings of the parts would give 0 and 2.
  EXPECT_EQ(output(network, {{1, 3}, {1, 3}}), (Tensor{0, 2}));
  EXPECT_EQ(output(network, {{1, 1}, {2, 0}}), (Tensor{1, 0}));
}

TEST(Reference, UsesTheRangeOnSyntheticLayers) {
  test::Random random;
  for (const char* text :
       {"conv ic16 ih14 oc16 kh3 ph1", "conv ic16 ih14 oc16 kh3 ph1 density0.1", "conv ic16 ih14 oc16 kh3 g16",
        "fc ic128 oc64", "avgpool ic8 ih14 kh3", "add ic8 ih8", "gavgpool ic64 ih7", "requantise ic8 ih8"}) {
    const model::Network network = parse_layer(text);
    const Tensor result = output(network, random_inputs(network, random));
    const auto clipped = std::count_if(result.begin(), result.end(), [](int v) { return v == -128 || v == 127; });
    const auto [low, high] = std::minmax_element(result.begin(), result.end());
    EXPECT_LT(clipped * 4, static_cast<std::ptrdiff_t>(result.size())) << text;
    EXPECT_GT(*high - *low, 60) << text;
  }
}

TEST(Reference, RefusesTensorsOfTheWrongSize) {
  const model::Network network = parse_layer("conv ic4 ih6 oc8 kh3");
  EXPECT_THROW(run(network, std::vector<Tensor>{Tensor(3)}), Error);
  EXPECT_THROW(run(network, std::vector<Tensor>{}), Error);
}

}  // namespace
}  // namespace espalier::cpu

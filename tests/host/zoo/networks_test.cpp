// Properties:
//   - every network has the published number of multiply-accumulates and of weights
//   - the wanted density holds for all layers but the first and the depthwise ones
//   - random inputs use the int8 range of every map: neither constant nor mostly clamped
//   - options that a network does not have, and values out of range, are usage errors
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "zoo/random.hpp"
#include "zoo/zoo.hpp"

namespace espalier::zoo {
namespace {

std::int64_t macs(const model::Network& network) {
  std::int64_t sum = 0;
  for (const model::Layer& layer : network.layers) sum += model::count_macs(network, layer).all;
  return sum;
}

std::size_t weights(const model::Network& network) {
  std::size_t sum = 0;
  for (const model::Layer& layer : network.layers) sum += layer.weights.size();
  return sum;
}

Options with(double width, int resolution, int classes) {
  Options options;
  options.width = width;
  options.resolution = resolution;
  options.classes = classes;
  return options;
}

TEST(Zoo, HasThePublishedSizes) {
  const auto expect = [](const char* name, const Options& options, std::int64_t all_macs, std::size_t all_weights) {
    const model::Network network = build(name, options);
    EXPECT_EQ(macs(network), all_macs) << name;
    EXPECT_EQ(weights(network), all_weights) << name;
  };
  expect("resnet18", {}, 1814073344, 11678912);
  expect("mobilenet_v1", {}, 568740352, 4209088);
  expect("mobilenet_v1", with(0.25, 96, 2), 7489664, 208112);
  expect("mobilenet_v2", {}, 300774272, 3469760);
  expect("resnet8", {}, 12501632, 77360);
  expect("ds_cnn", {}, 2656768, 22016);
}

TEST(Zoo, LargeNetworksHaveThePublishedSizes) {
  EXPECT_EQ(macs(build("resnet50", {})), 4089184256);
  EXPECT_EQ(macs(build("resnet50_v1", {})), 3857973248);
  EXPECT_EQ(macs(build("vgg16", {})), 15346630656);
}

TEST(Zoo, DensityIsThatOfEveryPrunedLayer) {
  Options options;
  options.density = 0.25;
  for (const std::string name : {"resnet8", "ds_cnn"}) {
    const model::Network network = build(name, options);
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const model::Layer& layer = network.layers[i];
      if (layer.weights.empty()) continue;
      const auto kept = std::count_if(layer.weights.begin(), layer.weights.end(), [](auto w) { return w != 0; });
      const double density = static_cast<double>(kept) / static_cast<double>(layer.weights.size());
      const double wanted = i == 0 ? 0.5 : (layer.groups > 1 ? 1.0 : 0.25);
      EXPECT_NEAR(density, wanted, 1e-3) << name << " " << layer.name;
    }
  }
}

class ZooValues : public testing::TestWithParam<double> {};

TEST_P(ZooValues, RandomInputsUseTheRangeOfEveryMap) {
  Options options;
  options.density = GetParam();
  for (const std::string name : {"resnet8", "ds_cnn"}) {
    const model::Network network = build(name, options);
    Random random(3);
    std::vector<std::int8_t> input(network.features[static_cast<std::size_t>(network.inputs[0])].elements());
    for (std::int8_t& value : input) value = static_cast<std::int8_t>(random.between(-128, 127));
    const auto features = cpu::FastExecutor(network).run(std::vector<cpu::Tensor>{input});
    for (const model::Layer& layer : network.layers) {
      const auto& values = features[static_cast<std::size_t>(layer.output)];
      std::map<int, std::size_t> counts;
      for (const std::int8_t value : values) ++counts[value];
      EXPECT_GE(counts.size(), std::min<std::size_t>(8, values.size() / 2)) << name << " " << layer.name;
      EXPECT_LE(counts[127], values.size() / 4) << name << " " << layer.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Densities, ZooValues, testing::Values(1.0, 0.25, 0.1),
                         [](const auto& info) { return "percent" + std::to_string(std::lround(info.param * 100)); });

TEST(Zoo, RefusesWhatANetworkDoesNotHave) {
  const auto code = [](const char* name, const Options& options) {
    try {
      build(name, options);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  EXPECT_EQ(code("resnet51", {}), ErrorCode::Usage);
  EXPECT_EQ(code("resnet8", with(0.5, 0, 0)), ErrorCode::Usage);
  EXPECT_EQ(code("ds_cnn", with(1, 64, 0)), ErrorCode::Usage);
  EXPECT_EQ(code("resnet8", with(1, 4, 0)), ErrorCode::Usage);
  EXPECT_EQ(code("vgg16", with(1, 0, 10)), ErrorCode::Usage);
  Options options;
  options.density = 1.5;
  EXPECT_EQ(code("resnet8", options), ErrorCode::Usage);
  options.density = 1;
  options.fully_connected = true;
  EXPECT_EQ(code("resnet8", options), ErrorCode::Usage);
}

}  // namespace
}  // namespace espalier::zoo

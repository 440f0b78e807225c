// Properties: validate accepts what parse_layer makes and refuses every single damaged field with a Model error that
// names the layer or feature.
#include "model/network.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "esp_error.hpp"
#include "model/layer_text.hpp"

namespace espalier::model {
namespace {

void expect_refused(const char* text, const std::function<void(Network&)>& damage) {
  Network network = parse_layer(text);
  damage(network);
  try {
    validate(network);
    ADD_FAILURE() << "accepted a damaged " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Model);
    EXPECT_FALSE(error.where().empty());
  }
}

TEST(Validate, RefusesEveryDamagedField) {
  const char* conv = "conv ic4 ih6 oc8 kh3";
  expect_refused(conv, [](Network& n) { n.layers[0].weights.pop_back(); });
  expect_refused(conv, [](Network& n) { n.layers[0].bias.pop_back(); });
  expect_refused(conv, [](Network& n) { n.layers[0].scale.pop_back(); });
  expect_refused(conv, [](Network& n) { n.layers[0].scale[0].multiplier = 1U << 24; });
  expect_refused(conv, [](Network& n) { n.layers[0].scale[0].shift = 64; });
  expect_refused(conv, [](Network& n) { n.layers[0].inputs = {7}; });
  expect_refused(conv, [](Network& n) { n.layers[0].inputs = {}; });
  expect_refused(conv, [](Network& n) { n.layers[0].output = -1; });
  expect_refused(conv, [](Network& n) { n.layers[0].output = 0; });
  expect_refused(conv, [](Network& n) { n.layers[0].stride_h = 0; });
  expect_refused(conv, [](Network& n) { n.layers[0].groups = 3; });
  expect_refused(conv, [](Network& n) { n.layers[0].pad_left = -1; });
  expect_refused(conv, [](Network& n) { n.layers[0].low = 5, n.layers[0].high = 4; });
  expect_refused(conv, [](Network& n) { n.layers[0].bias[3] = 2147483647; });
  expect_refused(conv, [](Network& n) { n.features[1].height = 9; });
  expect_refused(conv, [](Network& n) { n.features[1].zero = 128; });
  expect_refused(conv, [](Network& n) { n.features[1].scale = 0; });
  expect_refused(conv, [](Network& n) { n.features[0].channels = 0; });
  expect_refused(conv, [](Network& n) { n.inputs = {}; });
  expect_refused(conv, [](Network& n) { n.outputs = {5}; });
  expect_refused("maxpool ic4 ih6 kh2", [](Network& n) { n.features[1].zero += 1; });
  expect_refused("avgpool ic4 ih6 kh2", [](Network& n) { n.layers[0].ratio = -1; });
  expect_refused("add ic4 ih6", [](Network& n) { n.features[1].width = 5; });
  expect_refused("concat ic4 ih6", [](Network& n) { n.features[2].channels = 9; });
  expect_refused("requantise ic4 ih6", [](Network& n) { n.layers[0].scale.clear(); });
}

}  // namespace
}  // namespace espalier::model

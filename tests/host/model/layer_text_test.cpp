// Properties: defaults are the usual ones; the density is exact; equal text and seed give equal networks; every wrong
// line is refused with a Usage error that names the token; to_text and parse_layer are inverse.
#include "model/layer_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "esp_error.hpp"

namespace espalier::model {
namespace {

TEST(LayerText, FillsTheUsualDefaults) {
  const Network network = parse_layer("conv ic16 ih28 oc32 kh3 sh2 ph1");
  const Layer& layer = network.layers.at(0);
  EXPECT_EQ(network.features[0].width, 28);
  EXPECT_EQ(layer.kernel_w, 3);
  EXPECT_EQ(layer.stride_w, 2);
  EXPECT_EQ(layer.pad_right, 1);
  EXPECT_EQ(layer.groups, 1);
  EXPECT_EQ(network.features[1].height, 14);
  EXPECT_EQ(network.features[1].channels, 32);
  EXPECT_EQ(count_macs(network, layer).all, 14 * 14 * 32 * 16 * 9);
  EXPECT_EQ(count_macs(network, layer).nonzero, count_macs(network, layer).all);
}

TEST(LayerText, HasExactlyTheDensityAskedFor) {
  for (const double density : {0.0, 0.1, 0.25, 0.333, 1.0}) {
    const Network network = parse_layer("conv ic7 ih5 oc13 kh3 ph1 density" + std::to_string(density));
    const auto& weights = network.layers[0].weights;
    const auto nonzero = std::count_if(weights.begin(), weights.end(), [](std::int8_t w) { return w != 0; });
    EXPECT_EQ(nonzero, std::llround(density * 7 * 13 * 9)) << density;
  }
}

TEST(LayerText, PatternsDecideWhichWeightsStay) {
  for (const char* pattern : {"pattern2:4", "block4x4 density0.5"}) {
    const Network network = parse_layer(std::string("conv ic8 ih5 oc8 kh3 ph1 ") + pattern);
    const auto& weights = network.layers[0].weights;
    EXPECT_EQ(std::count(weights.begin(), weights.end(), std::int8_t{0}), 8 * 8 * 9 / 2) << pattern;
  }
  const Network network = parse_layer("conv ic8 ih5 oc8 kh3 ph1 pattern4of9");
  const auto& weights = network.layers[0].weights;
  EXPECT_EQ(std::count(weights.begin(), weights.end(), std::int8_t{0}), 8 * 8 * 5);
}

TEST(LayerText, ABatchIsAMapOfColumns) {
  const Network network = parse_layer("fc ic8 ih3 oc10 batch5");
  EXPECT_EQ(network.features[0].channels, 72);
  EXPECT_EQ(network.features[0].height, 1);
  EXPECT_EQ(network.features[0].width, 5);
  EXPECT_EQ(network.features[1].elements(), 50U);
  EXPECT_EQ(network.layers[0].weights, parse_layer("fc ic8 ih3 oc10").layers[0].weights);
}

TEST(LayerText, IsAFunctionOfTextAndSeed) {
  const std::string text = "conv ic8 ih9 oc8 kh3 density0.5";
  EXPECT_EQ(parse_layer(text, 3).layers[0].weights, parse_layer(text, 3).layers[0].weights);
  EXPECT_NE(parse_layer(text, 3).layers[0].weights, parse_layer(text, 4).layers[0].weights);
}

TEST(LayerText, IsTheInverseOfToText) {
  for (const char* text :
       {"conv ic64 ih56 iw56 oc64 kh3 kw3 sh1 sw1 ph1 pw1 dh1 dw1 g1 density0.25 int8", "conv ic6 ih9 oc6 kh3 g6",
        "conv ic3 ih9 iw7 oc4 kh3 kw1 sh2 sw1 ph1 pw0 pb2 pr1 dh2 dw1", "fc ic512 oc10", "fc ic4 ih7 oc10",
        "maxpool ic5 ih8 kh2 sh2 relu", "avgpool ic5 ih8 kh3 ph1 includepad", "gavgpool ic8 ih7", "gmaxpool ic8 ih7",
        "add ic4 ih4 relu", "concat ic4 ih4 n3", "requantise ic4 ih4 relu6"}) {
    const Network network = parse_layer(text);
    const std::string line = to_text(network, network.layers[0]);
    const Network again = parse_layer(line);
    EXPECT_EQ(to_text(again, again.layers[0]), line);
    EXPECT_EQ(again.layers[0].weights, network.layers[0].weights) << line;
    EXPECT_EQ(again.features.back().elements(), network.features.back().elements()) << line;
  }
}

TEST(LayerText, NamesTheWrongToken) {
  const std::pair<const char*, const char*> cases[] = {{"", "empty line"},
                                                       {"conv ic8 ih9 kh3 pattern3:4", "pattern3:4"},
                                                       {"conv ic8 ih9 kh3 block4x4 pattern2:4", "pattern2:4"},
                                                       {"conv ic8 ih9 kh5 pattern4of9", "pattern4of9"},
                                                       {"maxpool ic8 ih9 kh3 block4x4", "block4x4"},
                                                       {"conv ic8 ih9 kh3 batch4", "batch4"},
                                                       {"fc ic8 batch0", "batch0"},

                                                       {"convolve ic3", "convolve"},
                                                       {"conv ih4", "ic"},
                                                       {"conv ic4", "ih"},
                                                       {"conv ic0 ih4", "ic0"},
                                                       {"conv ic4 ih4 zz3", "zz3"},
                                                       {"conv ic4 ih4 kh-1", "kh-1"},
                                                       {"conv ic4 ih4 g3", "g3"},
                                                       {"conv ic4 ih4 oc6 g4", "g4"},
                                                       {"conv ic4 ih4 kh9", "kh9"},
                                                       {"conv ic4 ih4 int5", "int4"},
                                                       {"conv ic4 ih4 density1.5", "density1.5"},
                                                       {"conv ic4 ih4 densityx", "densityx"},
                                                       {"conv ic99999999999 ih4", "ic99999999999"},
                                                       {"conv ic4 ih4 ih5", "ih5"},
                                                       {"add ic4 ih4 oc5", "oc"},
                                                       {"maxpool ic4 ih4 density0.5", "density"},
                                                       {"conv ic4 ih4 kh", "kh"},
                                                       {"conv ic4 ih4 3", "3"},
                                                       {"conv ic4 ih4 kh3x", "kh3x"},
                                                       {"conv ic60000 ih60000", ""},
                                                       {"conv ic1 ih9 kh60000 dh60000", "kh60000"},
                                                       {"concat ic60000 ih1 n60000", "n60000"},
                                                       {"concat ic40000 ih1", "n2"},
                                                       {"concat ic4 ih4 relu", "relu"},
                                                       {"gmaxpool ic3 ih3 kh2", "kh2"}};
  for (const auto& [text, token] : cases) {
    try {
      parse_layer(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Usage) << text;
      EXPECT_NE(std::string(error.what()).find(token), std::string::npos) << text << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace espalier::model

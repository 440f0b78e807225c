// Random networks with branches, residual adds and concatenations, compiled for all arrays:
// - every byte of every output is that of the CPU reference;
// - so it is with every number of channels in a word;
// - features read in several layouts, and outputs that are read as well, are right;
// - layers are computed in strands where those are shorter than rectangles, with the same bytes;
// - cut into stages that are started one by one, with a reset in between, they give the same bytes;
// - networks larger than the scratchpad run in pieces and give the same bytes.
#include <gtest/gtest.h>

#include <algorithm>

#include "arrays.hpp"
#include "compile/lower.hpp"
#include "esp_error.hpp"
#include "execution.hpp"
#include "model/layer_text.hpp"

namespace espalier::test {
namespace {

std::string key(const char* name, int value) { return std::string(" ") + name + std::to_string(value); }

/// Grows a network by layers that read features chosen at random.
class RandomNetwork {
 public:
  RandomNetwork(Random& random, int scale) : random_(random), scale_(scale) {
    network_.name = "random";
    for (int i = random_.between(1, 2); i > 0; --i) add_input();
  }

  model::Network build(int layers) {
    for (int i = 0; i < layers; ++i) add_layer();
    std::vector<bool> read(network_.features.size(), false);
    for (const model::Layer& layer : network_.layers) {
      for (const int input : layer.inputs) read[static_cast<std::size_t>(input)] = true;
    }
    for (const model::Layer& layer : network_.layers) {
      const bool unread = !read[static_cast<std::size_t>(layer.output)];
      if (unread || random_.chance(0.15)) network_.outputs.push_back(layer.output);
    }
    return network_;
  }

 private:
  const model::Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }

  void add_input() {
    model::Feature input;
    input.name = "input" + std::to_string(network_.inputs.size());
    input.channels = random_.between(1, 12 * scale_);
    input.height = random_.between(1, 14 * scale_);
    input.width = random_.between(1, 14 * scale_);
    input.zero = random_.between(-128, 127);
    network_.inputs.push_back(static_cast<int>(network_.features.size()));
    network_.features.push_back(input);
  }

  int any_feature() {
    const int last = static_cast<int>(network_.features.size()) - 1;
    return random_.chance(0.6) ? last : random_.between(std::max(0, last - 4), last);
  }

  /// Features with the map of `like`, itself included; only those with its channels if `same_channels`.
  std::vector<int> partners(int like, bool same_channels) const {
    std::vector<int> found;
    for (std::size_t i = 0; i < network_.features.size(); ++i) {
      const model::Feature& other = network_.features[i];
      if (other.height != feature(like).height || other.width != feature(like).width) continue;
      if (!same_channels || other.channels == feature(like).channels) found.push_back(static_cast<int>(i));
    }
    return found;
  }

  void add_layer() {
    const int input = any_feature();
    const model::Feature& in = feature(input);
    const std::string map = key("ic", in.channels) + key("ih", in.height) + key("iw", in.width);
    const std::string window = key("kh", 3) + key("ph", 1) + key("sh", random_.between(1, 2)) + key("sw", 1);
    const int outputs = random_.chance(0.5) ? in.channels : random_.between(1, 12 * scale_);
    std::vector<int> inputs{input};
    std::string text;
    switch (random_.between(0, 9)) {
      case 0:
        text = "maxpool" + map + window;
        break;
      case 1:
        text = "avgpool" + map + window;
        break;
      case 2:
        text = "conv" + map + key("oc", outputs) + " density0.3";
        break;
      case 3:
        text = "conv" + map + key("oc", in.channels) + key("g", in.channels) + window;
        break;
      case 4:
      case 5: {
        const auto others = partners(input, true);
        inputs.push_back(others[static_cast<std::size_t>(random_.between(0, static_cast<int>(others.size()) - 1))]);
        text = "add" + map;
        break;
      }
      case 6:
        text = concat(inputs);
        break;
      case 7:
        text = random_.chance(0.3) ? (random_.chance(0.5) ? "gavgpool" : "gmaxpool") + map : "requantise" + map;
        break;
      default:
        text = "conv" + map + key("oc", outputs) + window + " density" + std::to_string(random_.unit());
        break;
    }
    if (!text.starts_with("concat") && random_.chance(0.4)) text += " relu";
    append(text, inputs);
  }

  std::string concat(std::vector<int>& inputs) {
    const auto others = partners(inputs[0], false);
    for (int i = random_.between(1, 3); i > 0; --i) {
      inputs.push_back(others[static_cast<std::size_t>(random_.between(0, static_cast<int>(others.size()) - 1))]);
    }
    return "concat" + key("ic", 1) + key("ih", feature(inputs[0]).height) + key("iw", feature(inputs[0]).width) +
           key("n", static_cast<int>(inputs.size()));
  }

  void append(const std::string& text, const std::vector<int>& inputs) {
    model::Network one = model::parse_layer(text, network_.layers.size() + 1);
    model::Layer layer = one.layers[0];
    model::Feature output = one.features[static_cast<std::size_t>(layer.output)];
    layer.name = "layer" + std::to_string(network_.layers.size());
    output.name = layer.name;
    layer.inputs = inputs;
    layer.output = static_cast<int>(network_.features.size());
    if (layer.kind == model::LayerKind::Concat) {
      output.channels = 0;
      for (const int input : inputs) output.channels += feature(input).channels;
      if (random_.chance(0.7)) {
        output.scale = feature(inputs[0]).scale;
        output.zero = feature(inputs[0]).zero;
      }
    } else if (layer.kind == model::LayerKind::MaxPool || layer.kind == model::LayerKind::GlobalMaxPool) {
      output.scale = feature(inputs[0]).scale;
      output.zero = feature(inputs[0]).zero;
    } else if (random_.chance(0.5)) {
      output.scale = 1.0;
      output.zero = -128;
    }
    network_.features.push_back(output);
    network_.layers.push_back(layer);
  }

  Random& random_;
  int scale_;
  model::Network network_;
};

/// First layers of stages, drawn at random.
std::vector<int> random_stages(Random& random, std::size_t layers) {
  std::vector<int> firsts;
  for (int layer = 1; layer < static_cast<int>(layers); ++layer)
    if (random.chance(0.3)) firsts.push_back(layer);
  return firsts;
}

enum class Cut { Whole, Stages };

void check(int index, int scale, int layers, Cut cut) {
  Random random(static_cast<std::uint64_t>(index));
  const model::Network network = RandomNetwork(random, scale).build(layers);
  std::string lines;
  for (const model::Layer& layer : network.layers) lines += model::to_text(network, layer) + "\n";
  SCOPED_TRACE(lines);
  for (const auto& configuration : arrays_of_case(index)) {
    compile::Options options;
    if (random.chance(0.6)) options.split = 1 << random.between(0, 3);
    if (cut == Cut::Stages) options.stages = random_stages(random, network.layers.size());
    SCOPED_TRACE("split " + (options.split ? std::to_string(*options.split) : std::string("any")));
    compile::Compiled compiled;
    try {
      compiled = compile::compile(network, configuration, options);
    } catch (const Error& error) {
      // The smallest scratchpad need not hold the rows that one position of a large layer reads.
      const bool too_large = configuration == abi::Array8x8 && scale > 1;
      ASSERT_TRUE(too_large && error.code() == ErrorCode::Unsupported) << error.what();
      continue;
    }
    ASSERT_EQ(differences(network, compiled, random_inputs(network, random)), "");
  }
}

/// Layers of the same line one after the other.
model::Network chain(const std::string& line, int layers) {
  model::Network network = model::parse_layer(line, 1);
  for (int i = 1; i < layers; ++i) {
    const model::Network next = model::parse_layer(line, static_cast<std::uint64_t>(i) + 1);
    model::Layer layer = next.layers[0];
    layer.inputs = {i};
    layer.output = i + 1;
    network.layers.push_back(layer);
    network.features.push_back(next.features[1]);
  }
  network.outputs = {layers};
  return network;
}

TEST(Strands, AreUsedWhereTheyAreShorterAndGiveTheBytesOfTheReference) {
  Random random;
  for (const auto& [line, lanes] :
       {std::pair("conv ic32 ih14 oc32 kh3 ph1 density0.3", 16), std::pair("conv ic32 ih14 oc32 kh3 ph1", 8),
        std::pair("conv ic24 ih9 iw10 oc24 kh5 ph2 density0.2", 16), std::pair("conv ic16 ih14 oc16 g16 kh3 ph1", 16),
        std::pair("conv ic20 ih13 iw11 oc20 kh3 kw1 ph1 pw0 density0.4", 16),
        std::pair("conv ic20 ih5 iw18 oc20 kh3 ph2 dh2 density0.4", 8)}) {
    SCOPED_TRACE(line);
    const model::Network network = chain(line, 4);
    const abi::Configuration& configuration = lanes == 8 ? abi::Array8x8 : abi::Array16x16;
    const compile::Compiled compiled = compile::compile(network, configuration);
    EXPECT_EQ(differences(network, compiled, random_inputs(network, random)), "");
  }
  const compile::Lowered lowered =
      compile::lower(chain("conv ic64 ih14 oc64 kh3 ph1 density0.3", 4), abi::Array16x16, {});
  EXPECT_TRUE(std::any_of(lowered.steps.begin(), lowered.steps.end(),
                          [](const compile::Step& step) { return step.tiling.strand_pitch > 0; }));
}

class RandomNetworks : public ::testing::TestWithParam<int> {};

TEST_P(RandomNetworks, GiveTheBytesOfTheReference) {
  for (int index = GetParam() * 10; index < GetParam() * 10 + 10; ++index) {
    ASSERT_NO_FATAL_FAILURE(check(index, 1, 3 + index % 12, Cut::Whole));
  }
}

TEST_P(RandomNetworks, LargerThanTheScratchpadGiveTheBytesOfTheReference) {
  ASSERT_NO_FATAL_FAILURE(check(GetParam() + 1000, 6, 6, Cut::Whole));
}

TEST_P(RandomNetworks, InStagesGiveTheBytesOfTheReference) {
  for (int index = GetParam() * 3 + 2000; index < GetParam() * 3 + 2003; ++index) {
    ASSERT_NO_FATAL_FAILURE(check(index, 1, 3 + index % 12, Cut::Stages));
  }
  ASSERT_NO_FATAL_FAILURE(check(GetParam() + 3000, 6, 6, Cut::Stages));
}

INSTANTIATE_TEST_SUITE_P(Network, RandomNetworks, ::testing::Range(0, 10));

}  // namespace
}  // namespace espalier::test

// Random quantised networks with branches, joins and several outputs; some layers are too large for the accelerator.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "model/layer_text.hpp"
#include "random.hpp"

namespace espalier::test {

class RandomNetwork {
 public:
  explicit RandomNetwork(Random& random) : random_(random) {
    network_.name = "random";
    for (int i = random_.between(1, 2); i > 0; --i) {
      model::Feature input;
      input.name = "input" + std::to_string(network_.inputs.size());
      input.channels = random_.between(1, 10);
      input.height = random_.between(3, 10);
      input.width = random_.between(3, 10);
      input.zero = random_.between(-128, 127);
      network_.inputs.push_back(static_cast<int>(network_.features.size()));
      network_.features.push_back(input);
    }
  }

  model::Network build(int layers) {
    for (int i = 0; i < layers; ++i) add_layer();
    std::vector<bool> read(network_.features.size(), false);
    for (const model::Layer& layer : network_.layers)
      for (const int input : layer.inputs) read[static_cast<std::size_t>(input)] = true;
    for (const model::Layer& layer : network_.layers)
      if (!read[static_cast<std::size_t>(layer.output)] || random_.chance(0.15))
        network_.outputs.push_back(layer.output);
    return network_;
  }

 private:
  const model::Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  static std::string key(const char* name, int value) { return std::string(" ") + name + std::to_string(value); }

  int any_feature() {
    const int last = static_cast<int>(network_.features.size()) - 1;
    return random_.chance(0.5) ? last : random_.between(std::max(0, last - 4), last);
  }

  int partner(int like) {
    std::vector<int> found;
    for (std::size_t i = 0; i < network_.features.size(); ++i) {
      const model::Feature& other = network_.features[i];
      if (other.channels == feature(like).channels && other.height == feature(like).height &&
          other.width == feature(like).width)
        found.push_back(static_cast<int>(i));
    }
    return found[static_cast<std::size_t>(random_.between(0, static_cast<int>(found.size()) - 1))];
  }

  void add_layer() {
    const int input = any_feature();
    const model::Feature& in = feature(input);
    const std::string map = key("ic", in.channels) + key("ih", in.height) + key("iw", in.width);
    const std::string window = key("kh", 3) + key("ph", 1);
    std::vector<int> inputs{input};
    std::string text;
    switch (random_.between(0, 8)) {
      case 0:
        text = "maxpool" + map + window + key("sh", random_.between(1, 2));
        break;
      case 1:
        text = "avgpool" + map + window;
        break;
      case 2:
        text = "conv" + map + key("g", in.channels) + window;
        break;
      case 3:
      case 4:
        inputs.push_back(partner(input));
        text = "add" + map;
        break;
      case 5:
        // A padding that no strip of the scratchpad of the smallest machine holds.
        text = "conv" + map + key("oc", random_.between(1, 3)) + key("kh", 3) + key("ph", 300) + key("dh", 300) +
               key("kw", 3) + key("pw", 300) + key("dw", 300);
        break;
      default:
        text = "conv" + map + key("oc", random_.between(1, 10)) + window + " density" + std::to_string(random_.unit());
        break;
    }
    if (random_.chance(0.3)) text += " relu";
    append(text, inputs);
  }

  /// The layer of a text, with the zero points of the features that it reads.
  void append(const std::string& text, const std::vector<int>& inputs) {
    const model::Network one = model::parse_layer(text, static_cast<std::uint64_t>(random_.between(1, 1000)));
    model::Layer layer = one.layers[0];
    layer.name = "layer" + std::to_string(network_.layers.size());
    model::Feature made = one.features[static_cast<std::size_t>(layer.output)];
    made.name = "feature" + std::to_string(network_.features.size());
    if (layer.kind == model::LayerKind::MaxPool) {
      made.zero = feature(inputs[0]).zero;
      made.scale = feature(inputs[0]).scale;
    }
    layer.inputs = inputs;
    layer.output = static_cast<int>(network_.features.size());
    network_.features.push_back(made);
    network_.layers.push_back(std::move(layer));
  }

  Random& random_;
  model::Network network_;
};

}  // namespace espalier::test

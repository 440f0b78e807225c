#include "compress/layer_alone.hpp"

namespace espalier::compress {

model::Network layer_alone(const model::Network& network, const model::Layer& layer) {
  model::Network alone;
  alone.name = layer.name;
  const auto add = [&](int feature) {
    alone.features.push_back(network.features[static_cast<std::size_t>(feature)]);
    return static_cast<int>(alone.features.size()) - 1;
  };
  model::Layer copy = layer;
  for (int& input : copy.inputs) {
    input = add(input);
    alone.inputs.push_back(input);
  }
  copy.output = add(layer.output);
  alone.outputs = {copy.output};
  alone.layers.push_back(std::move(copy));
  return alone;
}

}  // namespace espalier::compress

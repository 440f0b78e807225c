#include "plan/placement/segments.hpp"

#include <algorithm>

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

bool contains(const std::vector<int>& list, int value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

std::vector<std::vector<int>> readers_of(const model::Network& network) {
  std::vector<std::vector<int>> readers(network.features.size());
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer)
    for (const int input : network.layers[layer].inputs)
      if (!contains(readers[at(input)], static_cast<int>(layer))) readers[at(input)].push_back(static_cast<int>(layer));
  return readers;
}

std::vector<int> makers_of(const model::Network& network) {
  std::vector<int> makers(network.features.size(), -1);
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer)
    makers[at(network.layers[layer].output)] = static_cast<int>(layer);
  return makers;
}

Piece cut_out(const model::Network& network, const std::vector<int>& layers, const std::string& name) {
  if (layers.size() == network.layers.size()) {
    Piece whole{network, network.inputs, network.outputs};
    whole.network.name = name;
    return whole;
  }
  Piece piece;
  piece.network.name = name;
  std::vector<int> local(network.features.size(), -1);
  const auto take = [&](int feature) {
    if (local[at(feature)] < 0) {
      local[at(feature)] = static_cast<int>(piece.network.features.size());
      piece.network.features.push_back(network.features[at(feature)]);
    }
    return local[at(feature)];
  };
  const std::vector<std::vector<int>> readers = readers_of(network);
  const std::vector<int> makers = makers_of(network);
  for (const int index : layers) {
    model::Layer layer = network.layers[at(index)];
    for (int& input : layer.inputs) {
      const bool inside = makers[at(input)] >= 0 && contains(layers, makers[at(input)]);
      if (!inside && !contains(piece.inputs, input)) piece.inputs.push_back(input);
      input = take(input);
    }
    const int made = layer.output;
    const std::vector<int>& users = readers[at(made)];
    const bool leaves = users.empty() || contains(network.outputs, made) ||
                        std::any_of(users.begin(), users.end(), [&](int user) { return !contains(layers, user); });
    if (leaves) piece.outputs.push_back(made);
    layer.output = take(made);
    piece.network.layers.push_back(std::move(layer));
  }
  for (const int input : piece.inputs) piece.network.inputs.push_back(local[at(input)]);
  for (const int output : piece.outputs) piece.network.outputs.push_back(local[at(output)]);
  return piece;
}

}  // namespace espalier::plan

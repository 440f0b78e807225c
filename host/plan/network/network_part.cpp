#include "plan/network/network_part.hpp"

#include <algorithm>
#include <cstddef>

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

bool holds(const std::vector<int>& list, int value) { return std::find(list.begin(), list.end(), value) != list.end(); }

}  // namespace

model::Network network_part(const model::Network& network, int first, int last) {
  model::Network part;
  part.name = network.name;
  std::vector<bool> made(network.features.size(), false), read(network.features.size(), false);
  for (int layer = first; layer <= last; ++layer) {
    made[at(network.layers[at(layer)].output)] = true;
    for (const int input : network.layers[at(layer)].inputs) read[at(input)] = true;
  }
  std::vector<bool> read_later(network.features.size(), false);
  for (std::size_t layer = at(last) + 1; layer < network.layers.size(); ++layer)
    for (const int input : network.layers[layer].inputs) read_later[at(input)] = true;
  std::vector<int> index(network.features.size(), -1);
  for (int feature = 0; feature < static_cast<int>(network.features.size()); ++feature) {
    if (!made[at(feature)] && !read[at(feature)]) continue;
    index[at(feature)] = static_cast<int>(part.features.size());
    if (!made[at(feature)]) part.inputs.push_back(index[at(feature)]);
    if (made[at(feature)] && (read_later[at(feature)] || holds(network.outputs, feature)))
      part.outputs.push_back(index[at(feature)]);
    part.features.push_back(network.features[at(feature)]);
  }
  for (int layer = first; layer <= last; ++layer) {
    part.layers.push_back(network.layers[at(layer)]);
    for (int& input : part.layers.back().inputs) input = index[at(input)];
    part.layers.back().output = index[at(part.layers.back().output)];
  }
  return part;
}

}  // namespace espalier::plan

#include "model/stages.hpp"

#include <string>

#include "esp_error.hpp"

namespace espalier::model {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Marks the layers that make a feature, directly or not. Layers are in topological order.
std::vector<bool> needed_for(const Network& network, int output) {
  std::vector<bool> features(network.features.size(), false), layers(network.layers.size(), false);
  features[at(output)] = true;
  for (std::size_t i = network.layers.size(); i-- > 0;) {
    if (!features[at(network.layers[i].output)]) continue;
    layers[i] = true;
    for (const int input : network.layers[i].inputs) features[at(input)] = true;
  }
  return layers;
}

}  // namespace

Staged in_stages(const Network& network) {
  Staged staged{network, {}};
  staged.network.layers.clear();
  std::vector<bool> taken(network.layers.size(), false);
  const auto take = [&](const std::vector<bool>& wanted) {
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      if (!wanted[i] || taken[i]) continue;
      taken[i] = true;
      staged.network.layers.push_back(network.layers[i]);
    }
  };
  for (const int output : network.outputs) {
    const std::size_t before = staged.network.layers.size();
    take(needed_for(network, output));
    if (staged.network.layers.size() == before)
      throw Error(ErrorCode::Usage, "an exit needs no layer of its own", "network '" + network.name + "'",
                  network.features[at(output)].name,
                  "order the outputs by depth, and give a network whose outputs differ");
    staged.firsts.push_back(static_cast<int>(before));
  }
  take(std::vector<bool>(network.layers.size(), true));
  return staged;
}

}  // namespace espalier::model

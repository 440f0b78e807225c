// A network cut into pieces that are networks of their own.
#pragma once

#include <string>
#include <vector>

#include "model/network.hpp"

namespace espalier::plan {

/// Some layers of a network as a network. `inputs` and `outputs` are features of the whole network, in the order of
/// those of the piece: what the layers read and do not make, and what they make that others read or the user gets.
struct Piece {
  model::Network network;
  std::vector<int> inputs;
  std::vector<int> outputs;
};

/// `layers`: indices, ascending. All layers: the network as it is. Otherwise a tensor that nobody
/// reads is an output, so that every piece has one.
Piece cut_out(const model::Network& network, const std::vector<int>& layers, const std::string& name);

/// Layers of the whole network that read each feature, by feature.
std::vector<std::vector<int>> readers_of(const model::Network& network);

/// The layer that makes each feature, by feature; -1: an input.
std::vector<int> makers_of(const model::Network& network);

}  // namespace espalier::plan

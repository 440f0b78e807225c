// A run of consecutive layers of a network as a network of its own.
#pragma once

#include "model/network.hpp"

namespace espalier::plan {

/// Layers first..last, 0 <= first <= last. Its inputs are the features that they read from outside, its outputs those
/// that a later layer reads or the network gives out; both in the order of the network's features.
model::Network network_part(const model::Network& network, int first, int last);

}  // namespace espalier::plan

// One layer as a network of its own.
#pragma once

#include "model/network.hpp"

namespace espalier::compress {

/// A network of one layer: its inputs in the order of layer.inputs, its output last.
model::Network layer_alone(const model::Network& network, const model::Layer& layer);

}  // namespace espalier::compress

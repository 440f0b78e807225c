// The last step: a canonical graph whose activations all have a quantisation becomes a Network.
#pragma once

#include <vector>

#include "compress/quantised.hpp"
#include "model/graph.hpp"

namespace espalier::compress {

/// A network, and the feature that every value of the graph became, or -1.
struct Lowered {
  Quantised quantised;
  std::vector<int> feature_of;
};

/// Weights that are float become int8, symmetric per output channel; quantised weights keep their bits. Scales are
/// s_in * s_w / s_out in double from the float32 scales of the file, then nearest 24-bit multiplier. Weights minus zero
/// point that exceed int8 (asymmetric uint8 weights) are split over copies of the input channels, which is exact.
/// Throws Error(Unsupported) naming the operator whose result has no quantisation.
Lowered lower(const model::Graph& canonical);

}  // namespace espalier::compress

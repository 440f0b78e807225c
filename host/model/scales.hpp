// Scales of layers that have more than one.
#pragma once

#include "model/network.hpp"

namespace espalier::model {

/// Gives an Add the scales of its inputs, ratio = scale_in / scale_out: the larger one gets 24 bits, the other one the
/// same shift. Both must be positive and below abi::MaxScale.
void set_add_scales(Layer& layer, double ratio_a, double ratio_b);

}  // namespace espalier::model

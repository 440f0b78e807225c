// Random layers as lines of text: every kind, shapes by class, strides, dilation, groups, densities from 0 to 1, single
// pixels, odd channel counts.
#pragma once

#include <string>

#include "random.hpp"

namespace espalier::test {

/// A line that model::parse_layer accepts.
std::string random_layer(Random& random);

/// The same for a layer with weights, of any set of values.
std::string random_weights(Random& random);

}  // namespace espalier::test

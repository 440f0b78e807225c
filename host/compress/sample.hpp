// What calibration runs on.
#pragma once

#include <vector>

#include "cpu/float_reference.hpp"

namespace espalier::compress {

/// One set of network inputs, in the order of graph.inputs.
using Sample = std::vector<cpu::FloatTensor>;

}  // namespace espalier::compress

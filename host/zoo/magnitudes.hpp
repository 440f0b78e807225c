// Magnitudes of synthetic weights.
#pragma once

#include <vector>

#include "model/masks.hpp"
#include "zoo/random.hpp"

namespace espalier::zoo {

/// Magnitudes as trained networks have them, so that pruned rows are of unequal density: |normal| times a log-normal
/// factor (sigma 0.35) per output channel, another per input channel, and a factor that falls from the middle of the
/// kernel to its edge.
std::vector<float> make_magnitudes(const model::WeightShape& shape, Random& random);

}  // namespace espalier::zoo

// Weights that share few values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier::compress {

/// Replaces int8 weights by at most `count` different values (2 or more), so that the sum of (scale of the channel *
/// change)^2 is least. Zeros stay zeros, and count as one of the values where there are any. scale has one number per
/// output channel; channels are outermost and of equal size. Exact: one-dimensional k-means by dynamic programming
/// (Wang and Song 2011).
void share_values(std::vector<std::int8_t>& weights, const std::vector<float>& scale, std::size_t count);

}  // namespace espalier::compress

// Which structure the zeros of a layer's weights have, recognised from the weights themselves.
//
//   weight_pattern(layer.weights, weight_shape(network, layer))   // "2:4", "block4x4", "unstructured, 12 of 64
//   outputs"
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/masks.hpp"
#include "model/network.hpp"

namespace espalier::model {

/// The shape of a convolution's weights.
WeightShape weight_shape(const Network& network, const Layer& layer);

/// The structure of what is not zero:
///   dense         at least nine weights of ten
///   N:M           at most N of every M consecutive input channels, for 1:4, 1:2, 2:4, 2:8 and 4:8
///   blockRxC      rectangles of R output x C input channels at a position of the kernel are kept or pruned as a whole,
///                 of the largest area that holds for; R and C are 1, 2, 4, 8 or 16
///   patternNofK   the kernels of K positions that are not empty have at most N weights in at most 16 arrangements
///   empty         nothing
///   unstructured  none of these
/// Output and input channels without any weight are left aside and named behind it: "block4x4, 32 of 64 outputs, 48 of
/// 64 inputs".
std::string weight_pattern(std::span<const std::int8_t> weights, const WeightShape& shape);

}  // namespace espalier::model

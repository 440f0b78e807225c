// Weights and biases of one convolution as integers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/graph.hpp"

namespace espalier::compress {

/// real weight = scale[o] * weights; real bias = scale_in * scale[o] * bias.
struct IntegerWeights {
  std::vector<std::int32_t> weights;  // [output][input / groups][kernel_h][kernel_w], -255..255
  std::vector<double> scale;          // per output channel
  std::vector<std::int32_t> bias;
};

/// Throws Error(Model) unless all values are finite.
void check_finite(std::span<const float> values, const std::string& where);

/// `weights` and `bias` (may be null) are constants of a Conv; float weights are rounded to -127..127 with the scale
/// max|w| / 127 of their channel (Jacob et al. 2018, symmetric). Throws Error(Model) if a weight or bias is not finite
/// and Error(Unsupported) if a quantised weight or a bias is too large.
IntegerWeights integer_weights(const model::Value& weights, const model::Value* bias, double scale_in,
                               const std::string& where);

}  // namespace espalier::compress

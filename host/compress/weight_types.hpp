// Types of weights below int8, and what each loses: every type is int8 values that the machine takes as they are, few
// enough of them that the weight streams become short.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/array.hpp"

namespace espalier::compress {

enum class WeightType { Int8, Codebook4, Int4, Codebook3, Codebook2, Ternary, Binary };

inline constexpr std::array AllWeightTypes{WeightType::Int8,      WeightType::Codebook4, WeightType::Int4,
                                           WeightType::Codebook3, WeightType::Codebook2, WeightType::Ternary,
                                           WeightType::Binary};

/// "int8", "codebook4", ... Throws Error(Usage) for another name.
const char* to_string(WeightType type);
WeightType parse_weight_type(std::string_view name);

/// Bits of one weight that is not zero.
int bits(WeightType type);

/// real = scale[channel] * weights[i], output channels outermost.
struct RoundedWeights {
  std::vector<std::int8_t> weights;
  std::vector<float> scale;
};

/// The output channels of one convolution and what bounds their scales from below: a bias must fit 2^30 units of
/// scale_in times scale. One bias per channel.
struct BiasLimit {
  std::vector<double> bias;
  double scale_in = 1;
};

/// Rounds float32 weights with one scale per output channel; zeros stay zeros. Int8: -127..127, scale max|w| / 127
/// (Jacob et al. 2018, symmetric). Int4: -7..7, the scale of least squared error at and below max|w| / 7. Ternary: -1,
/// 0, 1 with the threshold and scale of least squared error. Binary: -1 and 1 (and zeros that were there), the mean of
/// |w| as scale (Rastegari et al. 2016). CodebookN: the 2^N int8 values of least squared error over the convolution,
/// exactly (one-dimensional k-means by dynamic programming, Wang and Song 2011).
RoundedWeights round_weights(const model::Array& weights, WeightType type, const BiasLimit& limit);

}  // namespace espalier::compress

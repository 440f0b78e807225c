#include "compress/weight_types.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>

#include "compress/codebook.hpp"
#include "esp_error.hpp"

namespace espalier::compress {
namespace {

constexpr double LargestBias = 1 << 30;
constexpr int ScaleCandidates = 32;

struct TypeFacts {
  WeightType type;
  const char* name;
  int bits;
};
constexpr std::array<TypeFacts, AllWeightTypes.size()> Facts{{{WeightType::Int8, "int8", 8},
                                                              {WeightType::Codebook4, "codebook4", 4},
                                                              {WeightType::Int4, "int4", 4},
                                                              {WeightType::Codebook3, "codebook3", 3},
                                                              {WeightType::Codebook2, "codebook2", 2},
                                                              {WeightType::Ternary, "ternary", 2},
                                                              {WeightType::Binary, "binary", 1}}};

const TypeFacts& facts(WeightType type) { return Facts.at(static_cast<std::size_t>(type)); }

using Channel = std::span<const float>;

double largest_magnitude(Channel weights) {
  double largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(static_cast<double>(weight)));
  return largest;
}

double rounded(double weight, double scale, int levels) {
  return std::clamp(std::nearbyint(weight / scale), -static_cast<double>(levels), static_cast<double>(levels));
}

/// max|w| / levels times 1, 31/32, ...: the one of least squared error.
double searched_scale(Channel weights, int levels) {
  const double widest = largest_magnitude(weights) / levels;
  double best = widest, least = std::numeric_limits<double>::infinity();
  for (int i = ScaleCandidates; i > ScaleCandidates / 3 && widest > 0; --i) {
    const double scale = widest * i / ScaleCandidates;
    double error = 0;
    for (const float weight : weights) {
      const double difference = weight - scale * rounded(weight, scale, levels);
      error += difference * difference;
    }
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/// The k largest magnitudes become the scale s, the others zero. For a given k the best s is their mean, and the error
/// is least where (their sum)^2 / k is most. Every weight above half the scale is then among them, and none below.
double ternary_scale(Channel weights) {
  std::vector<double> magnitudes;
  for (const float weight : weights) magnitudes.push_back(std::abs(static_cast<double>(weight)));
  std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
  double sum = 0, most = 0, scale = 0;
  for (std::size_t k = 0; k < magnitudes.size(); ++k) {
    sum += magnitudes[k];
    const double gain = sum * sum / static_cast<double>(k + 1);
    if (gain > most) {
      most = gain;
      scale = sum / static_cast<double>(k + 1);
    }
  }
  return scale;
}

double binary_scale(Channel weights) {
  double sum = 0;
  std::size_t kept = 0;
  for (const float weight : weights) {
    sum += std::abs(static_cast<double>(weight));
    kept += std::abs(weight) > 0 ? 1 : 0;
  }
  return kept > 0 ? sum / static_cast<double>(kept) : 0;
}

double finest_scale(Channel weights, WeightType type) {
  switch (type) {
    case WeightType::Int4:
      return searched_scale(weights, 7);
    case WeightType::Ternary:
      return ternary_scale(weights);
    case WeightType::Binary:
      return binary_scale(weights);
    default:
      return largest_magnitude(weights) / 127;
  }
}

/// As fine as the weights need, as coarse as the bias allows.
float channel_scale(double fine, double bias, double scale_in) {
  // A channel of zeros is its bias alone; its unit is chosen so that the bias keeps twenty bits.
  const double needed = fine > 0 ? fine : std::abs(bias) > 0 ? std::abs(bias) / (scale_in * 1048576) : 1;
  const auto scale = static_cast<float>(std::max(needed, std::abs(bias) / (scale_in * LargestBias)));
  return scale > 0 ? scale : 1.0F;
}

std::int8_t level(float weight, float scale, WeightType type) {
  if (type == WeightType::Binary) return static_cast<std::int8_t>(weight > 0 ? 1 : weight < 0 ? -1 : 0);
  const int levels = type == WeightType::Int4 ? 7 : type == WeightType::Ternary ? 1 : 127;
  return static_cast<std::int8_t>(rounded(weight, static_cast<double>(scale), levels));
}

}  // namespace

const char* to_string(WeightType type) { return facts(type).name; }

WeightType parse_weight_type(std::string_view name) {
  for (const TypeFacts& each : Facts)
    if (name == each.name) return each.type;
  throw Error(ErrorCode::Usage, "no such type of weights", "quantisation", std::string(name),
              "choose int8, codebook4, int4, codebook3, codebook2, ternary or binary");
}

int bits(WeightType type) { return facts(type).bits; }

RoundedWeights round_weights(const model::Array& weights, WeightType type, const BiasLimit& limit) {
  const std::vector<float> values = weights.as_floats();
  const auto channels = static_cast<std::size_t>(weights.shape.at(0));
  const std::size_t row = channels == 0 ? 0 : values.size() / channels;
  RoundedWeights result;
  for (std::size_t c = 0; c < channels; ++c) {
    const Channel channel(values.data() + c * row, row);
    const float scale = channel_scale(finest_scale(channel, type), limit.bias.at(c), limit.scale_in);
    for (const float weight : channel) result.weights.push_back(level(weight, scale, type));
    result.scale.push_back(scale);
  }
  const bool codebook = type == WeightType::Codebook4 || type == WeightType::Codebook3 || type == WeightType::Codebook2;
  if (codebook) share_values(result.weights, result.scale, std::size_t{1} << static_cast<unsigned>(bits(type)));
  return result;
}

}  // namespace espalier::compress

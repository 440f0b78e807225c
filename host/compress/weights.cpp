#include "compress/weights.hpp"

#include <algorithm>
#include <cmath>

#include "compress/weight_types.hpp"
#include "esp_error.hpp"
#include "model/rewrites.hpp"

namespace espalier::compress {
namespace {

void copy_weights(const model::Value& weights, std::size_t channels, const std::string& where, IntegerWeights& result) {
  const auto& scales = weights.quantisation->scale;
  for (std::size_t c = 0; c < channels; ++c) result.scale.push_back(scales.size() == 1 ? scales[0] : scales.at(c));
  for (const std::int64_t value : weights.constant->as_integers()) {
    if (value < -255 || value > 255)
      throw Error(ErrorCode::Unsupported, "a weight minus its zero point has more than 9 bits", where,
                  std::to_string(value), "quantise weights to int8 or uint8");
    result.weights.push_back(static_cast<std::int32_t>(value));
  }
}

/// True if an int32 bias of the file already has the unit of the products.
bool has_product_scale(const model::Quantisation& bias, const std::vector<double>& scale, double scale_in) {
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double given = bias.scale.size() == 1 ? bias.scale[0] : bias.scale.at(c);
    if (std::abs(given - scale_in * scale[c]) > 1e-5 * given) return false;
  }
  return true;
}

}  // namespace

void check_finite(std::span<const float> values, const std::string& where) {
  for (const float value : values)
    if (!std::isfinite(value))
      throw Error(ErrorCode::Model, "a weight or bias is not finite", where, std::to_string(value),
                  "export the model again");
}

IntegerWeights integer_weights(const model::Value& weights, const model::Value* bias, double scale_in,
                               const std::string& where) {
  const auto channels = static_cast<std::size_t>(weights.constant->shape.at(0));
  std::vector<double> reals(channels, 0.0);
  if (bias != nullptr) {
    const auto values = model::real_constant(*bias).as_floats();
    reals.assign(values.begin(), values.end());
  }
  check_finite(std::vector<float>(reals.begin(), reals.end()), where);
  IntegerWeights result;
  if (weights.quantisation) {
    copy_weights(weights, channels, where, result);
  } else {
    check_finite(weights.constant->as_floats(), where);
    const RoundedWeights rounded = round_weights(*weights.constant, WeightType::Int8, {reals, scale_in});
    result.weights.assign(rounded.weights.begin(), rounded.weights.end());
    result.scale.assign(rounded.scale.begin(), rounded.scale.end());
  }
  if (bias != nullptr && bias->quantisation && has_product_scale(*bias->quantisation, result.scale, scale_in)) {
    for (const std::int64_t value : bias->constant->as_integers())
      result.bias.push_back(static_cast<std::int32_t>(value));
    return result;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const double level = std::nearbyint(reals[c] / (scale_in * result.scale[c]));
    if (std::abs(level) > 2147483647.0)
      throw Error(ErrorCode::Unsupported, "a bias exceeds 32 bits", where, std::to_string(level),
                  "use larger weight scales");
    result.bias.push_back(static_cast<std::int32_t>(level));
  }
  return result;
}

}  // namespace espalier::compress

#include "compress/weights.hpp"

#include <algorithm>
#include <cmath>

#include "esp_error.hpp"
#include "model/rewrites.hpp"

namespace espalier::compress {
namespace {

constexpr double LargestBias = 1 << 30;

/// The scale of one channel of float weights: as fine as the weights need, as coarse as the bias allows.
double channel_scale(const float* weights, std::size_t count, double bias, double scale_in) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
  // A channel of zeros is its bias alone; its unit is chosen so that the bias keeps twenty bits.
  const double fine = largest > 0 ? largest / 127 : std::abs(bias) > 0 ? std::abs(bias) / (scale_in * 1048576) : 1;
  const auto scale = static_cast<float>(std::max(fine, std::abs(bias) / (scale_in * LargestBias)));
  return scale > 0 ? static_cast<double>(scale) : 1.0;
}

void round_weights(const model::Array& array, std::size_t channels, const std::vector<double>& bias, double scale_in,
                   IntegerWeights& result) {
  const std::vector<float> values = array.as_floats();
  const std::size_t row = values.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    result.scale.push_back(channel_scale(values.data() + c * row, row, bias[c], scale_in));
    for (std::size_t i = c * row; i < (c + 1) * row; ++i)
      result.weights.push_back(
          static_cast<std::int32_t>(std::clamp(std::nearbyint(values[i] / result.scale[c]), -127.0, 127.0)));
  }
}

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

IntegerWeights integer_weights(const model::Value& weights, const model::Value* bias, double scale_in,
                               const std::string& where) {
  const auto channels = static_cast<std::size_t>(weights.constant->shape.at(0));
  std::vector<double> reals(channels, 0.0);
  if (bias != nullptr) {
    const auto values = model::real_constant(*bias).as_floats();
    reals.assign(values.begin(), values.end());
  }
  const auto finite = [&](double value) {
    if (!std::isfinite(value))
      throw Error(ErrorCode::Model, "a weight or bias is not finite", where, std::to_string(value),
                  "export the model again");
  };
  for (const double value : reals) finite(value);
  IntegerWeights result;
  if (weights.quantisation) {
    copy_weights(weights, channels, where, result);
  } else {
    for (const float value : weights.constant->as_floats()) finite(value);
    round_weights(*weights.constant, channels, reals, scale_in, result);
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

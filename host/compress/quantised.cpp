#include "compress/quantised.hpp"

#include <algorithm>
#include <cmath>

#include "cpu/float_reference.hpp"
#include "esp_error.hpp"

namespace espalier::compress {
namespace {

std::int8_t from_integer(const Input& input, float value) {
  const float level = input.type == model::ElementType::UInt8 ? value - 128 : value;
  if (!(level >= -128 && level <= 127) || std::nearbyint(level) != level)
    throw Error(ErrorCode::Input, "a value does not fit the type of the input", "input '" + input.name + "'",
                std::to_string(value), std::string("give ") + model::to_string(input.type) + " values");
  return static_cast<std::int8_t>(level);
}

}  // namespace

std::vector<std::int8_t> to_int8(const Input& input, std::span<const float> values) {
  if (static_cast<std::int64_t>(values.size()) != model::count_elements(input.shape, input.name))
    throw Error(ErrorCode::Input, "the tensor has the wrong number of elements", "input '" + input.name + "'",
                std::to_string(values.size()), "give a tensor of shape " + model::to_string(input.shape));
  std::vector<std::int8_t> result;
  result.reserve(values.size());
  for (const float value : values) {
    if (input.type != model::ElementType::Float) {
      result.push_back(from_integer(input, value));
      continue;
    }
    if (std::isnan(value))
      throw Error(ErrorCode::Input, "a value is not a number", "input '" + input.name + "'", "NaN", "check the file");
    const float level = std::nearbyint(value / input.scale) + static_cast<float>(input.zero);
    result.push_back(static_cast<std::int8_t>(std::clamp(level, -128.0F, 127.0F)));
  }
  return result;
}

std::vector<float> to_real(const Output& output, std::span<const std::int8_t> values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (const std::int8_t value : values) {
    if (output.type == model::ElementType::Float) {
      result.push_back(static_cast<float>(value - output.zero) * output.scale);
    } else {
      result.push_back(static_cast<float>(output.type == model::ElementType::UInt8 ? value + 128 : value));
    }
  }
  if (!output.softmax_axis) return result;
  return cpu::softmax(result, output.shape, static_cast<std::size_t>(*output.softmax_axis));
}

}  // namespace espalier::compress

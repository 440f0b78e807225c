#include "model/typed_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace espalier::model {
namespace {

// To a binary format with `precision` bits of significand (the hidden one included).
double round_to_binary(double value, int precision, int least_exponent, double largest) {
  if (!std::isfinite(value) || value == 0) return value;
  int exponent = 0;
  std::frexp(value, &exponent);
  const int quantum = std::max(exponent - precision, least_exponent);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -quantum)), quantum);
  return std::abs(rounded) > largest ? std::copysign(std::numeric_limits<double>::infinity(), value) : rounded;
}

}  // namespace

const char* to_string(DataType type) {
  static constexpr const char* names[DataTypes] = {"float16", "bfloat16", "float32", "float64", "uint8",
                                                   "uint16",  "uint32",   "uint64",  "int8",    "int16",
                                                   "int32",   "int64",    "bool"};
  return names[static_cast<std::size_t>(type)];
}

bool is_real(DataType type) { return type <= DataType::Float64; }

bool is_unsigned(DataType type) { return type >= DataType::UInt8 && type <= DataType::UInt64; }

int bits_of(DataType type) {
  static constexpr int bits[DataTypes] = {16, 16, 32, 64, 8, 16, 32, 64, 8, 16, 32, 64, 8};
  return bits[static_cast<std::size_t>(type)];
}

std::size_t TypedTensor::size() const {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

double round_to(DataType type, double value) {
  switch (type) {
    case DataType::Float16:
      return round_to_binary(value, 11, -24, 65504);
    case DataType::BFloat16:
      return round_to_binary(value, 8, -133, std::ldexp(255.0, 120));
    case DataType::Float32:
      return round_to_binary(value, 24, -149, std::numeric_limits<float>::max());
    default:
      return value;
  }
}

std::int64_t wrap_to(DataType type, std::int64_t value) {
  if (type == DataType::Bool) return value != 0 ? 1 : 0;
  const int unused = 64 - bits_of(type);
  const std::uint64_t high = static_cast<std::uint64_t>(value) << unused;
  return is_unsigned(type) ? static_cast<std::int64_t>(high >> unused) : static_cast<std::int64_t>(high) >> unused;
}

double to_real(DataType type, std::int64_t value) {
  return type == DataType::UInt64 ? static_cast<double>(static_cast<std::uint64_t>(value)) : static_cast<double>(value);
}

std::int64_t to_integer(double value) {
  constexpr double bound = 9223372036854775808.0;  // 2^63
  if (std::isnan(value)) return 0;
  if (value >= bound) return std::numeric_limits<std::int64_t>::max();
  if (value < -bound) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

TypedTensor real_tensor(DataType type, Shape shape, Reals values) {
  if (type != DataType::Float64)
    for (double& value : values) value = round_to(type, value);
  return {type, std::move(shape), std::move(values)};
}

TypedTensor integer_tensor(DataType type, Shape shape, Integers values) {
  if (type != DataType::Int64)
    for (std::int64_t& value : values) value = wrap_to(type, value);
  return {type, std::move(shape), std::move(values)};
}

TypedTensor convert(const TypedTensor& tensor, DataType type) {
  if (tensor.type == type) return tensor;
  const bool real = is_real(tensor.type);
  if (is_real(type)) {
    if (real) return real_tensor(type, tensor.shape, tensor.reals());
    Reals values;
    values.reserve(tensor.size());
    for (const std::int64_t value : tensor.integers()) values.push_back(to_real(tensor.type, value));
    return real_tensor(type, tensor.shape, std::move(values));
  }
  if (!real) return integer_tensor(type, tensor.shape, tensor.integers());
  Integers values;
  values.reserve(tensor.size());
  for (const double value : tensor.reals())
    values.push_back(type == DataType::Bool ? static_cast<std::int64_t>(value != 0) : to_integer(value));
  return integer_tensor(type, tensor.shape, std::move(values));
}

}  // namespace espalier::model

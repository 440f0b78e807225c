// A tensor of any element type of the operator table. Values are held as float64 or int64, whichever represents every
// value of the type exactly, so that an operator is written once and rounds once.
//
//   model::TypedTensor x = model::real_tensor(model::DataType::Float16, {2, 2}, {0.1, 0.2, 0.3, 0.4});
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "model/array.hpp"

namespace espalier::model {

/// Element types, in the order of the operator table's names.
enum class DataType {
  Float16,
  BFloat16,
  Float32,
  Float64,
  UInt8,
  UInt16,
  UInt32,
  UInt64,
  Int8,
  Int16,
  Int32,
  Int64,
  Bool
};
inline constexpr std::size_t DataTypes = 13;

/// "float32", "uint8", "bool" ...
const char* to_string(DataType type);
/// float16, bfloat16, float32, float64.
bool is_real(DataType type);
bool is_unsigned(DataType type);
/// Bits of one element; bool has 8.
int bits_of(DataType type);

using Reals = std::vector<double>;
using Integers = std::vector<std::int64_t>;

/// Invariant: `values` are Reals for real types and Integers for the others, one per element of `shape`, each
/// representable in `type`. uint64 is held modulo 2^64; bool as 0 and 1.
struct TypedTensor {
  DataType type = DataType::Float32;
  Shape shape;
  std::variant<Reals, Integers> values;

  std::size_t size() const;
  const Reals& reals() const { return std::get<Reals>(values); }
  const Integers& integers() const { return std::get<Integers>(values); }
  bool operator==(const TypedTensor&) const = default;
};

/// The nearest value of a real type, ties to even; values beyond the largest become infinite.
double round_to(DataType type, double value);
/// The value of an integer type that is congruent modulo 2^bits; for bool whether it is not zero.
std::int64_t wrap_to(DataType type, std::int64_t value);
/// The value as a real number; only uint64 differs from a plain conversion.
double to_real(DataType type, std::int64_t value);
/// The integer part; not-a-number gives 0, values beyond int64 its limits.
std::int64_t to_integer(double value);

/// A tensor of a real type; the values are rounded to it.
TypedTensor real_tensor(DataType type, Shape shape, Reals values);
/// A tensor of an integer type or bool; the values wrap to it.
TypedTensor integer_tensor(DataType type, Shape shape, Integers values);
/// The same values in another type: rounded, truncated or wrapped; to bool: not zero.
TypedTensor convert(const TypedTensor& tensor, DataType type);

}  // namespace espalier::model

// What element-wise kernels share: a function of one or two elements becomes a kernel for all types.
#pragma once

#include "cpu/operators/call.hpp"

namespace espalier::cpu::operators {

/// Sums, differences and products modulo 2^64; real numbers as they are.
inline double add(double a, double b) { return a + b; }
inline double subtract(double a, double b) { return a - b; }
inline double multiply(double a, double b) { return a * b; }
inline std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t subtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
/// Order of two integers of a type; uint64 is held modulo 2^64.
inline bool less(DataType type, std::int64_t a, std::int64_t b) {
  return type == DataType::UInt64 ? static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b) : a < b;
}

/// result[i] = function(input[i]) of a real tensor.
TypedTensor map_reals(const TypedTensor& input, const std::function<double(double)>& function);
/// The same of an integer tensor.
TypedTensor map_integers(const TypedTensor& input, const std::function<std::int64_t(std::int64_t)>& function);

using RealPair = std::function<double(double, double)>;
using IntegerPair = std::function<std::int64_t(std::int64_t, std::int64_t, DataType)>;

/// Two tensors of one type, broadcast; `integers` may be empty for operators of real numbers.
TypedTensor combine(const Call& call, const TypedTensor& a, const TypedTensor& b, const RealPair& reals,
                    const IntegerPair& integers);

}  // namespace espalier::cpu::operators

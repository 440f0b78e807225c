// The normative integer arithmetic. CPU reference, HLS kernels, functional model and RTL give exactly these bits.
//
//   acc = bias - zp_in * sum(w) + sum(a * w)              int32, wrapping; padding holds zp_in
//   y   = clamp(zp_out + round(acc * m * 2^-e), lo, hi)   m: 24 bits unsigned, e: 0..63, 64-bit product, one rounding
//
// A residual add scales each input by its own multiplier and rounds their sum once. Average pooling divides by the
// count of valid taps, through the scale. Concatenation requantises the inputs whose scale or zero point differ. Leaky
// and table activations are functions of the int8 result: y' = table[y + 128].
//
// round() is to nearest, ties to even (as ONNX QuantizeLinear and QLinearConv round). Integers only, synthesisable.
#pragma once

#include <cstdint>

namespace espalier::abi {

/// Rounds value * 2^-shift to the nearest integer, ties to even. shift in 0..63.
constexpr std::int64_t round_shift(std::int64_t value, unsigned shift) {
  if (shift == 0) return value;
  const std::int64_t floor = value >> shift;
  const std::uint64_t mask = (std::uint64_t{1} << shift) - 1;
  const std::uint64_t rest = static_cast<std::uint64_t>(value) & mask;
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  const bool up = rest > half || (rest == half && (floor & 1) != 0);
  return floor + (up ? 1 : 0);
}

/// clamp(value + zero, low, high) as int8; low and high are int8 values with low <= high.
constexpr std::int8_t saturate(std::int64_t value, std::int32_t zero, std::int32_t low, std::int32_t high) {
  const std::int64_t sum = value + zero;
  return static_cast<std::int8_t>(sum < low ? low : (sum > high ? high : sum));
}

/// Wrapping int32 sum, the accumulator of every engine.
constexpr std::int32_t accumulate(std::int32_t acc, std::int32_t term) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(acc) + static_cast<std::uint32_t>(term));
}

/// One requantised output: clamp(zero + round(acc * multiplier * 2^-shift), low, high).
constexpr std::int8_t requantise(std::int32_t acc, std::uint32_t multiplier, unsigned shift, std::int32_t zero,
                                 std::int32_t low, std::int32_t high) {
  const std::int64_t product = static_cast<std::int64_t>(acc) * static_cast<std::int64_t>(multiplier);
  return saturate(round_shift(product, shift), zero, low, high);
}

/// Residual add with one rounding: clamp(zero + round(((a - zero_a) * m_a + (b - zero_b) * m_b) * 2^-shift), low,
/// high).
constexpr std::int8_t residual_add(std::int8_t a, std::int8_t b, std::int32_t zero_a, std::int32_t zero_b,
                                   std::uint32_t multiplier_a, std::uint32_t multiplier_b, unsigned shift,
                                   std::int32_t zero, std::int32_t low, std::int32_t high) {
  const std::int64_t sum = static_cast<std::int64_t>(a - zero_a) * static_cast<std::int64_t>(multiplier_a) +
                           static_cast<std::int64_t>(b - zero_b) * static_cast<std::int64_t>(multiplier_b);
  return saturate(round_shift(sum, shift), zero, low, high);
}

/// A positive real scale as multiplier * 2^-shift; exact for every float32 scale in range.
struct Scale {
  std::uint32_t multiplier = 0;  // 2^23 .. 2^24 - 1, or 0
  unsigned shift = 0;            // 0 .. 63
};

/// The largest real scale that `Scale` can hold (exclusive).
inline constexpr double MaxScale = 16777216.0;

/// Nearest Scale (ties to even in the multiplier) to `value`, 0 <= value < MaxScale. Exact if `value` is a float32 of
/// at least 2^-40; smaller scales lose low multiplier bits, below 2^-64 they become 0. Integer and power-of-two steps
/// only, so that every compiler gives the same result.
constexpr Scale make_scale(double value) {
  if (!(value > 0)) return {};
  unsigned shift = 0;
  while (value < 8388608.0 && shift < 63) {
    value *= 2;
    ++shift;
  }
  const auto floor = static_cast<std::uint64_t>(value);
  const double rest = value - static_cast<double>(floor);
  std::uint64_t multiplier = floor + ((rest > 0.5 || (rest == 0.5 && (floor & 1) != 0)) ? 1 : 0);
  if (multiplier > 16777215 && shift > 0) {
    multiplier >>= 1;
    --shift;
  }
  return {static_cast<std::uint32_t>(multiplier > 16777215 ? 16777215 : multiplier), shift};
}

/// The accumulator of OperationAdd: taps a * 1, b * -128, b * -128.
struct AddOperands {
  std::int32_t a = 0;
  std::int32_t b = 0;
};

/// Separates acc = a - 256 * b; exact for all int8 a and b, and defined for any acc.
constexpr AddOperands separate_add(std::int32_t acc) {
  const std::int32_t a = ((acc & 255) ^ 128) - 128;  // the low byte with its sign
  return {a, -(accumulate(acc, -a) >> 8)};
}

}  // namespace espalier::abi

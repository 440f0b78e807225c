// Units of the cost model. All costs are integers, so that two ways to a number give the same number.
#pragma once

#include <algorithm>
#include <cstdint>

namespace espalier::plan {

using Nanoseconds = std::int64_t;
using Nanojoules = std::int64_t;
using Bytes = std::int64_t;
using BasisPoints = std::int64_t;  // of exit rates and accuracies, 10000 is all

inline constexpr BasisPoints Whole = 10000;

/// No plan costs this much: an unsupported layer, a link that is down. Sums saturate here, and a sum of two costs does
/// not overflow.
inline constexpr std::int64_t Impossible = std::int64_t{1} << 61;

/// The largest time, energy or size of one step; a million of them weighted with Whole stay below Impossible.
inline constexpr std::int64_t LargestStep = 1'000'000'000'000;

inline std::int64_t add(std::int64_t a, std::int64_t b) { return std::min(a + b, Impossible); }

/// a * factor, at most Impossible; both at least 0.
inline std::int64_t times(std::int64_t a, std::int64_t factor) {
  std::int64_t product = 0;  // the builtin needs no division, and searches multiply often
  return __builtin_mul_overflow(a, factor, &product) ? Impossible : std::min(product, Impossible);
}

/// a * b / c rounded up, without overflow of a * b below 2^126; a, b >= 0, c > 0.
inline std::int64_t scaled(std::int64_t a, std::int64_t b, std::int64_t c) {
  if (a >= Impossible) return Impossible;
  const std::int64_t whole = times(a / c, b);
  const std::int64_t rest = a % c;
  const std::int64_t part = rest == 0 || b <= (Impossible / rest)
                                ? (rest * b + c - 1) / c
                                : static_cast<std::int64_t>(static_cast<long double>(rest) *
                                                            static_cast<long double>(b) / static_cast<long double>(c)) +
                                      1;
  return add(whole, part);
}

}  // namespace espalier::plan

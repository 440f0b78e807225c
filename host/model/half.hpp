// float16 (IEEE 754 binary16) as files store it.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace espalier::model {

/// The same number in float32; every float16 has one.
inline float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  float magnitude = 0;
  if (exponent == 31)
    magnitude = fraction > 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -24);
  else
    magnitude = std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace espalier::model

// The numbers that synthetic networks are made of.
#pragma once

#include <cstdint>

#include "model/random.hpp"

namespace espalier::zoo {

class Random : public model::Random {
 public:
  using model::Random::Random;

  /// Uniform in [low, high].
  int between(int low, int high) { return static_cast<int>(model::Random::between(low, high)); }

  /// Near a standard normal distribution: the sum of four uniform numbers of 16 bits, within 3.5 deviations.
  double normal() {
    const std::uint64_t bits = next();
    const std::uint64_t sum = (bits & 0xffffU) + ((bits >> 16) & 0xffffU) + ((bits >> 32) & 0xffffU) + (bits >> 48);
    return (static_cast<double>(sum) - 2.0 * 65535.0) * (1.7320508075688772 / 65536.0);
  }
};

}  // namespace espalier::zoo

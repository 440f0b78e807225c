#include "plan/planners/exit_rule.hpp"

#include <algorithm>

namespace espalier::plan {
namespace {

constexpr int Bits = 30;  // of exponentials
constexpr std::int64_t One = std::int64_t{1} << Bits;
constexpr std::int64_t Ln2 = 744261118;  // log(2) * 2^30

// exp(-x) * 2^30 for x >= 0 in units of 2^-30: a power of two times a series on [0, log 2).
std::int64_t exponential(std::int64_t x) {
  const std::int64_t halvings = x / Ln2;
  if (halvings >= Bits) return 0;
  const std::int64_t rest = x % Ln2;
  std::int64_t sum = One, term = One;
  for (int order = 1; order <= 10; ++order) {
    term = -(term * rest >> Bits) / order;
    sum += term;
  }
  return sum >> halvings;
}

// log(x / 2^30) in units of 2^-30, x >= 2^30: halvings, then log(1 + z) = 2 atanh(z / (2 + z)).
std::int64_t logarithm(std::int64_t x) {
  std::int64_t result = 0;
  while (x >= 2 * One) {
    x >>= 1;
    result += Ln2;
  }
  const std::int64_t ratio = ((x - One) << Bits) / (x + One);
  const std::int64_t square = ratio * ratio >> Bits;
  std::int64_t term = ratio;
  for (int order = 1; order <= 15; order += 2) {
    result += 2 * term / order;
    term = term * square >> Bits;
  }
  return result;
}

}  // namespace

// With d = scale * (max - x) >= 0 and S = sum exp(-d): entropy = log S + sum(exp(-d) * d) / S.
std::int32_t entropy(std::span<const std::int8_t> logits, std::int32_t scale_units) {
  if (logits.empty()) return 0;
  const std::int8_t most = *std::max_element(logits.begin(), logits.end());
  std::int64_t sum = 0, weighted = 0;
  for (const std::int8_t logit : logits) {
    const std::int64_t distance = static_cast<std::int64_t>(most - logit) * scale_units;  // units of 2^-16
    const std::int64_t weight = exponential(distance << (Bits - 16));
    sum += weight;
    weighted += weight * distance >> 16;
  }
  // The largest logit alone gives the sum a positive term.
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
  const std::int64_t nats = logarithm(sum) + ((weighted << 16) / sum << (Bits - 16));
  return static_cast<std::int32_t>(nats >> (Bits - 16));
}

}  // namespace espalier::plan

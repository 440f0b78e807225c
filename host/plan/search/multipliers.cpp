#include "plan/search/multipliers.hpp"

#include <algorithm>
#include <numeric>

namespace espalier::plan {

std::int64_t multiplier_sum(std::int64_t largest) {
  constexpr std::int64_t Finest = std::int64_t{1} << 30;
  constexpr std::int64_t Room = 16;  // for sums of paths that are worse than the largest load
  std::int64_t sum = Finest;
  while (sum > 1 && largest > Impossible / Room / sum) sum /= 2;
  return sum;
}

std::vector<std::int64_t> in_proportion(std::span<const double> shares, std::int64_t sum) {
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<std::int64_t> result;
  for (const double share : shares) result.push_back(static_cast<std::int64_t>(share / all * static_cast<double>(sum)));
  *std::max_element(result.begin(), result.end()) += sum - sum_of(result);
  return result;
}

std::vector<std::int64_t> with_sum(std::span<const std::int64_t> multipliers, std::int64_t sum) {
  const std::vector<double> shares(multipliers.begin(), multipliers.end());
  return in_proportion(shares, sum);
}

std::int64_t sum_of(std::span<const std::int64_t> multipliers) {
  return std::accumulate(multipliers.begin(), multipliers.end(), std::int64_t{0});
}

std::int64_t grain_of(std::span<const BasisPoints> shares) {
  std::int64_t grain = 0;
  for (const BasisPoints share : shares) grain = std::gcd(grain, share);
  return std::max<std::int64_t>(grain, 1);
}

}  // namespace espalier::plan

// Multipliers of the loads in integers. They may have any sum: a bound is the weighted sum of loads over the sum of the
// multipliers, rounded up to the grain of the loads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// Of multipliers that no linear program gave.
inline constexpr std::int64_t CoarseMultiplierSum = 4096;

/// Multipliers to start a search from.
struct LoadStart {
  std::vector<std::int64_t> loads;  // of throughput
  std::int64_t time = 0;            // of the deadline, in weighted grains or units of the objective per nanosecond
};

/// The multipliers that a search may use for loads up to `largest` grains: their sum, a power of two. Large enough to
/// round bounds by less than a grain where that is possible, small enough that no weighted load overflows.
std::int64_t multiplier_sum(std::int64_t largest);

/// Integers in proportion to `shares`, which are at least 0 and not all 0, with the given sum.
std::vector<std::int64_t> in_proportion(std::span<const double> shares, std::int64_t sum);

/// The same multipliers with another sum.
std::vector<std::int64_t> with_sum(std::span<const std::int64_t> multipliers, std::int64_t sum);

std::int64_t sum_of(std::span<const std::int64_t> multipliers);

/// The greatest number that divides all shares: every load of a plan is a multiple of it. 1 if there is no share.
std::int64_t grain_of(std::span<const BasisPoints> shares);

}  // namespace espalier::plan

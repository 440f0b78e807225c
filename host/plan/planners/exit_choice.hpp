// Thresholds of a network with exits, chosen on labelled samples that neither trained it nor measure it.
//
//   ExitStatistics statistics = apply(samples, cycles, thresholds);   // what leaves where, how much is right
//   std::vector<std::int32_t> thresholds = choose_thresholds(samples, cycles, 10);
//
// Teerapittayanon, McDanel, Kung, "BranchyNet", ICPR 2016, section III-B: thresholds are swept on validation data.
// Ours: the sweep over quantiles of the entropies takes the fewest mean cycles among all that lose at most a given
// share.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// What every exit says about one sample.
struct ExitSample {
  std::vector<std::int32_t> entropies;  // per exit, units of 2^-16 nat
  std::vector<bool> right;              // per exit
};

/// What thresholds make of samples.
struct ExitStatistics {
  std::vector<std::int64_t> left;   // samples per exit
  std::vector<std::int64_t> right;  // of them
  std::int64_t samples = 0;
  std::int64_t all_right = 0;
  std::int64_t cycles = 0;  // of all samples
};

/// `cycles`: of a sample that leaves at each exit. A sample leaves at the first exit whose entropy is below its
/// threshold, at the last at the latest.
ExitStatistics apply(const std::vector<ExitSample>& samples, const std::vector<std::int64_t>& cycles,
                     const std::vector<std::int32_t>& thresholds);

/// The thresholds of fewest cycles among those on the grid with which at most `loss` (in 1/10000 of the samples) fewer
/// answers are right than at the last exit; among equals the lower ones. All 0, no sample leaves early, is one of them.
/// Throws Error (Input) for no samples, or samples of other numbers of exits.
std::vector<std::int32_t> choose_thresholds(const std::vector<ExitSample>& samples,
                                            const std::vector<std::int64_t>& cycles, BasisPoints loss);

/// Shares of `left` in 1/10000 that sum to Whole: rounded down, and the largest rests up.
std::vector<BasisPoints> exit_shares(const std::vector<std::int64_t>& left);

}  // namespace espalier::plan

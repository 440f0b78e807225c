// Ranges of activations from histograms of their values: what calibration keeps and what it clips.
//
//   Histogram histogram({-1, 3});
//   histogram.add(values);
//   Range range = least_divergence_range(histogram);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/graph.hpp"

namespace espalier::compress {

/// Real values that int8 levels stand for; zero is always inside, so that padding and clamps are exact.
struct Range {
  float low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

/// How many values fell into each of 2048 equal parts of a range.
class Histogram {
 public:
  static constexpr std::size_t Bins = 2048;

  Histogram() = default;  // of nothing
  explicit Histogram(const Range& range) : range_(range) {}

  /// Counts values; those outside count in the first or last bin. A range too narrow to divide counts nothing.
  void add(std::span<const float> values);
  bool empty() const { return counts_.empty(); }
  const Range& range() const { return range_; }
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  /// Counts without the values that are exactly zero: int8 levels have no error there.
  std::vector<std::uint64_t> nonzero_counts() const;
  double bin_width() const { return (static_cast<double>(range_.high) - range_.low) / Bins; }
  /// The value in the middle of a bin.
  double middle(std::size_t bin) const { return range_.low + (static_cast<double>(bin) + 0.5) * bin_width(); }

 private:
  Range range_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t zeros_ = 0;
};

/// Widens a range to the values. Throws Error(Input) for a value that is not finite.
void widen(Range& range, std::span<const float> values);

// Each takes a histogram that is not empty.

/// The range that leaves half of (100 - percent) % of the values out at each end.
Range percentile_range(const Histogram& histogram, double percent);

/// Of the histogram's range with both ends scaled by 1, 0.992, 0.984, ...: the one with the least squared error,
/// uniform rounding inside and saturation outside.
Range least_error_range(const Histogram& histogram);

/// Of the same candidates, the one whose int8 levels describe the distribution best: the least Kullback-Leibler
/// divergence of the clipped distribution from the one that 256 levels can express (Migacz 2017). Values of exactly
/// zero are left out: a level stands for them alone. Ranges are compared in two parts per level.
Range least_divergence_range(const Histogram& histogram);

/// sum p log(p / q) over p > 0, both normalised to sum 1; infinite if q is 0 where p is not. Equal sizes.
double divergence(std::span<const double> p, std::span<const double> q);

/// int8 levels over a range: scale = (high - low) / 255, the unit scale if float32 cannot hold that.
model::Quantisation to_quantisation(const Range& range);

}  // namespace espalier::compress

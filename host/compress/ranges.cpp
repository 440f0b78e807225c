#include "compress/ranges.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "esp_error.hpp"

namespace espalier::compress {
namespace {

constexpr int Candidates = 100;
constexpr std::size_t Levels = 256;
constexpr std::size_t Parts = 2 * Levels;  // of a range that are compared, so that all ranges are compared alike

Range scaled(const Range& range, int candidate) {
  const float factor = 1.0F - 0.008F * static_cast<float>(candidate);
  return {range.low * factor, range.high * factor};
}

/// The candidate with the least cost; the widest of equal ones.
template <typename Cost>
Range cheapest(const Range& range, Cost&& cost) {
  Range best = range;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < Candidates; ++i) {
    const Range candidate = scaled(range, i);
    const double value = cost(candidate);
    if (value < least) {
      least = value;
      best = candidate;
    }
  }
  return best;
}

double squared_error(const Histogram& histogram, const Range& range) {
  const double step = (static_cast<double>(range.high) - range.low) / 255;
  double sum = 0;
  for (std::size_t bin = 0; bin < Histogram::Bins; ++bin) {
    const double value = histogram.middle(bin);
    const double outside = std::max({0.0, range.low - value, value - range.high});
    sum += static_cast<double>(histogram.counts()[bin]) * (outside * outside + (outside > 0 ? 0 : step * step / 12));
  }
  return sum;
}

/// The counts of Parts equal parts of the bins; a bin that lies in two parts is shared.
std::vector<double> in_parts(std::span<const double> bins) {
  std::vector<double> result(Parts, 0.0);
  const double width = static_cast<double>(bins.size()) / Parts;
  for (std::size_t part = 0; part < Parts; ++part) {
    const double begin = static_cast<double>(part) * width, end = begin + width;
    for (auto bin = static_cast<std::size_t>(begin); bin < bins.size() && static_cast<double>(bin) < end; ++bin) {
      const auto at = static_cast<double>(bin);
      result[part] += bins[bin] * (std::min(end, at + 1) - std::max(begin, at));
    }
  }
  return result;
}

/// The values of a level spread evenly over its bins that are not empty.
std::vector<double> expressed(std::span<const double> inside) {
  std::vector<double> result(inside.size(), 0.0);
  const std::size_t levels = std::min(Levels, inside.size());
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t first = level * inside.size() / levels, last = (level + 1) * inside.size() / levels;
    double sum = 0;
    std::size_t used = 0;
    for (std::size_t bin = first; bin < last; ++bin) {
      sum += inside[bin];
      used += inside[bin] > 0 ? 1 : 0;
    }
    for (std::size_t bin = first; bin < last; ++bin)
      if (inside[bin] > 0) result[bin] = sum / static_cast<double>(used);
  }
  return result;
}

using Counts = std::vector<std::uint64_t>;

double clipped_divergence(const Histogram& histogram, const Counts& counts, const Range& range) {
  std::vector<double> inside;
  double below = 0, above = 0;
  for (std::size_t bin = 0; bin < Histogram::Bins; ++bin) {
    const auto count = static_cast<double>(counts[bin]);
    if (histogram.middle(bin) < range.low) {
      below += count;
    } else if (histogram.middle(bin) > range.high) {
      above += count;
    } else {
      inside.push_back(count);
    }
  }
  if (inside.size() < Parts) return std::numeric_limits<double>::infinity();
  inside = in_parts(inside);
  // The levels know nothing of what was clipped: only the distribution they are compared with has it.
  std::vector<double> levels = expressed(inside);
  inside.front() += below;
  inside.back() += above;
  // Clipping into an empty part is not infinitely bad: such a part counts as half a value.
  for (std::size_t end : {std::size_t{0}, inside.size() - 1})
    if (inside[end] > 0 && !(levels[end] > 0)) levels[end] = 0.5;
  return divergence(inside, levels);
}

}  // namespace

void Histogram::add(std::span<const float> values) {
  const float step = static_cast<float>(Bins) / (range_.high - range_.low);
  if (!(range_.high > range_.low) || !std::isnormal(step)) return;
  counts_.resize(Bins);
  for (const float value : values) {
    const float place = std::clamp((value - range_.low) * step, 0.0F, static_cast<float>(Bins - 1));
    ++counts_[static_cast<std::size_t>(place)];
    zeros_ += std::fpclassify(value) == FP_ZERO ? 1 : 0;
  }
}

std::vector<std::uint64_t> Histogram::nonzero_counts() const {
  std::vector<std::uint64_t> result = counts_;
  const float place = (0.0F - range_.low) * (static_cast<float>(Bins) / (range_.high - range_.low));
  if (zeros_ > 0) result[static_cast<std::size_t>(std::clamp(place, 0.0F, static_cast<float>(Bins - 1)))] -= zeros_;
  return result;
}

void widen(Range& range, std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value))
      throw Error(ErrorCode::Input, "an activation is not finite during calibration", "calibration",
                  std::to_string(value), "check the calibration inputs and the weights");
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
}

Range percentile_range(const Histogram& histogram, double percent) {
  const auto& counts = histogram.counts();
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  const double tail = total * (100.0 - percent) / 200.0;
  std::size_t first = 0, last = Histogram::Bins;
  double below = 0, above = 0;
  while (first + 1 < last && below + static_cast<double>(counts[first]) <= tail)
    below += static_cast<double>(counts[first++]);
  while (last > first + 1 && above + static_cast<double>(counts[last - 1]) <= tail)
    above += static_cast<double>(counts[--last]);
  const double low = histogram.range().low, width = histogram.bin_width();
  return {std::min(0.0F, static_cast<float>(low + static_cast<double>(first) * width)),
          std::max(0.0F, static_cast<float>(low + static_cast<double>(last) * width))};
}

Range least_error_range(const Histogram& histogram) {
  return cheapest(histogram.range(), [&](const Range& range) { return squared_error(histogram, range); });
}

Range least_divergence_range(const Histogram& histogram) {
  const Counts counts = histogram.nonzero_counts();
  return cheapest(histogram.range(), [&](const Range& range) { return clipped_divergence(histogram, counts, range); });
}

double divergence(std::span<const double> p, std::span<const double> q) {
  const double p_sum = std::accumulate(p.begin(), p.end(), 0.0), q_sum = std::accumulate(q.begin(), q.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] > 0)) continue;
    if (!(q[i] > 0)) return std::numeric_limits<double>::infinity();
    sum += p[i] / p_sum * std::log(p[i] * q_sum / (q[i] * p_sum));
  }
  return sum;
}

model::Quantisation to_quantisation(const Range& range) {
  const auto scale = static_cast<float>((static_cast<double>(range.high) - range.low) / 255.0);
  if (!(scale > std::numeric_limits<float>::min())) return {{1.0F}, 0, 0};
  const double zero = std::nearbyint(-128.0 - static_cast<double>(range.low) / static_cast<double>(scale));
  return {{scale}, static_cast<std::int32_t>(std::clamp(zero, -128.0, 127.0)), 0};
}

}  // namespace espalier::compress

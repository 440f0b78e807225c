#include "plan/planners/exit_choice.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "esp_error.hpp"

namespace espalier::plan {
namespace {

constexpr std::size_t MostSettings = 20000;  // that are tried
constexpr std::size_t MostSteps = 1000;      // of one threshold

/// Thresholds to try at each exit but the last, ascending: 0, and just above quantiles of its entropies.
std::vector<std::vector<std::int32_t>> grid(const std::vector<ExitSample>& samples, std::size_t early) {
  std::size_t steps = MostSteps;
  const auto settings = [&] {
    double product = 1;
    for (std::size_t i = 0; i < early; ++i) product *= static_cast<double>(steps);
    return product;
  };
  while (steps > 2 && settings() > static_cast<double>(MostSettings)) --steps;
  std::vector<std::vector<std::int32_t>> result(early);
  for (std::size_t exit = 0; exit < early; ++exit) {
    std::vector<std::int32_t> entropies;
    for (const ExitSample& sample : samples) entropies.push_back(sample.entropies[exit]);
    std::sort(entropies.begin(), entropies.end());
    std::vector<std::int32_t>& values = result[exit];
    values.push_back(0);
    for (std::size_t step = 1; step < steps; ++step)
      values.push_back(entropies[step * (entropies.size() - 1) / (steps - 1)] + 1);
    values.erase(std::unique(values.begin(), values.end()), values.end());
  }
  return result;
}

/// The next setting of the grid, the first index fastest; false after the last.
bool advance(std::vector<std::size_t>& index, const std::vector<std::vector<std::int32_t>>& values) {
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (++index[i] < values[i].size()) return true;
    index[i] = 0;
  }
  return false;
}

}  // namespace

ExitStatistics apply(const std::vector<ExitSample>& samples, const std::vector<std::int64_t>& cycles,
                     const std::vector<std::int32_t>& thresholds) {
  ExitStatistics result;
  result.left.assign(cycles.size(), 0);
  result.right.assign(cycles.size(), 0);
  for (const ExitSample& sample : samples) {
    std::size_t exit = 0;
    while (exit < thresholds.size() && sample.entropies[exit] >= thresholds[exit]) ++exit;
    ++result.left[exit];
    result.right[exit] += sample.right[exit] ? 1 : 0;
    result.cycles += cycles[exit];
  }
  result.samples = static_cast<std::int64_t>(samples.size());
  result.all_right = std::accumulate(result.right.begin(), result.right.end(), std::int64_t{0});
  return result;
}

std::vector<std::int32_t> choose_thresholds(const std::vector<ExitSample>& samples,
                                            const std::vector<std::int64_t>& cycles, BasisPoints loss) {
  const std::size_t exits = cycles.size();
  if (samples.empty() || exits == 0 || std::any_of(samples.begin(), samples.end(), [&](const ExitSample& sample) {
        return sample.entropies.size() != exits || sample.right.size() != exits;
      }))
    throw Error(ErrorCode::Input, "no samples to choose thresholds on, or not of these exits", "samples",
                std::to_string(samples.size()), "give samples with an entropy and an answer per exit");
  std::vector<std::int32_t> best(exits - 1, 0);
  ExitStatistics cheapest = apply(samples, cycles, best);
  const std::int64_t least = cheapest.all_right - loss * cheapest.samples / Whole;
  const std::vector<std::vector<std::int32_t>> values = grid(samples, exits - 1);
  std::vector<std::size_t> index(exits - 1, 0);
  std::vector<std::int32_t> thresholds = best;
  while (advance(index, values)) {
    for (std::size_t i = 0; i < index.size(); ++i) thresholds[i] = values[i][index[i]];
    const ExitStatistics statistics = apply(samples, cycles, thresholds);
    if (statistics.all_right < least || statistics.cycles >= cheapest.cycles) continue;
    best = thresholds;
    cheapest = statistics;
  }
  return best;
}

std::vector<BasisPoints> exit_shares(const std::vector<std::int64_t>& left) {
  const std::int64_t all = std::accumulate(left.begin(), left.end(), std::int64_t{0});
  std::vector<BasisPoints> shares(left.size(), 0);
  if (all == 0) return shares;
  std::vector<std::size_t> order(left.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return left[a] * Whole % all > left[b] * Whole % all; });
  BasisPoints rest = Whole;
  for (std::size_t i = 0; i < left.size(); ++i) rest -= shares[i] = left[i] * Whole / all;
  for (std::size_t i = 0; rest > 0; ++i, --rest) ++shares[order[i]];
  return shares;
}

}  // namespace espalier::plan

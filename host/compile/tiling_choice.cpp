#include "compile/tiling_choice.hpp"

#include <algorithm>
#include <limits>

#include "compile/write_program.hpp"

namespace espalier::compile {
namespace {

constexpr double Infinite = std::numeric_limits<double>::infinity();

/// Bytes above which a write plan of unlike tiles is not tried for its cost.
constexpr int PlanLimit = 1 << 19;

/// What streaming a chunk's weights for every position costs beside their transfer.
constexpr double StreamedPenalty = 1.25;

WordShape word_of(int split, const abi::Configuration& configuration) {
  return {split, static_cast<int>(configuration.pixels) / split};
}

std::vector<Tiling> candidates(int height, int width, WordShape word) {
  std::vector<Tiling> tilings;
  for (int grid_y = 1; grid_y <= std::min(word.segment, height); ++grid_y) {
    for (int grid_x = 1; grid_x * grid_y <= word.segment && grid_x <= width; ++grid_x) {
      const Tiling tiling = Tiling::of(height, width, grid_y, grid_x, word);
      if (std::find(tilings.begin(), tilings.end(), tiling) == tilings.end()) tilings.push_back(tiling);
    }
  }
  return tilings;
}

/// The destination's tiles as a tiling of the map; only those make every destination word a single write per plane.
bool aligned(const Tiling& tiling, const Layout& layout) {
  return (tiling.grid_y == layout.grid_y && tiling.grid_x == layout.grid_x) &&
         (tiling.grid_y == 1 || tiling.step_y == layout.step_y) &&
         (tiling.grid_x == 1 || tiling.step_x == layout.step_x);
}

class Costs {
 public:
  Costs(const TilingProblem& problem, const abi::Configuration& configuration)
      : problem_(problem), words_per_beat_(static_cast<int>(configuration.words_per_beat())) {}

  /// Cycles of the lanes and of the weight unit, whichever is slower.
  double compute(const Tiling& tiling) const {
    double best = Infinite;
    for (const Way& way : option(tiling).ways) {
      const double streams = way.resident ? 1.0 : StreamedPenalty * tiling.positions();
      best = std::min(best, way.slots * std::max<double>(tiling.positions(), way.stream * streams));
    }
    return best;
  }

  /// Estimated cycles; infinite where the estimate itself would take too long.
  double of(const Tiling& tiling) const {
    Writing writing;
    for (const Layout& layout : problem_.destinations) {
      const Writing other = this->writing(tiling, layout);
      if (other.words > writing.words) writing = other;
    }
    if (problem_.destinations.empty()) writing.words = tiling.positions();
    const double writes = writing.words * option(tiling).rows / static_cast<double>(abi::Writers);
    return std::max(compute(tiling) * writing.passes, writes) + 0.01 * writes +
           reading(window_layout(tiling, problem_.window, problem_.input_height, problem_.input_width));
  }

  /// Cycles to bring the input into this layout, beyond what happens anyway.
  double reading(const Layout& source) const {
    const double moved = static_cast<double>(source.rows) * source.columns * source.planes(problem_.input_channels);
    double cost = 0.1 * moved / words_per_beat_;
    const bool known =
        problem_.sources.empty() || std::any_of(problem_.sources.begin(), problem_.sources.end(),
                                                [&](const Layout& other) { return other.same_tiles(source); });
    if (!known) cost += moved;
    if (source.word.split > problem_.most_source_split) cost += moved;
    return cost;
  }

 private:
  /// Words of a result's planes, and how often results are computed because a table holds too few permutations.
  struct Writing {
    double words = 0;
    int passes = 1;
  };

  const SplitOption& option(const Tiling& tiling) const {
    return *std::find_if(problem_.splits.begin(), problem_.splits.end(),
                         [&](const SplitOption& option) { return option.split == tiling.word.split; });
  }

  Writing writing(const Tiling& tiling, const Layout& layout) const {
    const int words = layout.rows * layout.columns;
    const int planes = std::max(1, tiling.word.split / layout.word.split);
    if (aligned(tiling, layout)) return {static_cast<double>(words) * planes, 1};
    if (words * layout.word.segment > PlanLimit) return {Infinite, 1};
    const WritePlan plan = plan_writes(tiling, layout);
    const int permutations = static_cast<int>(plan.permutations.size());
    return {static_cast<double>(plan.words()), divide_up(permutations, static_cast<int>(abi::PermuteDepth))};
  }

  const TilingProblem& problem_;
  int words_per_beat_;
};

}  // namespace

Tiling choose_tiling(const TilingProblem& problem, const abi::Configuration& configuration) {
  std::vector<Tiling> tilings;
  for (const SplitOption& option : problem.splits) {
    const WordShape word = word_of(option.split, configuration);
    // Tiles of the destination need the fewest writes.
    for (const Layout& layout : problem.destinations) {
      Tiling tiling = layout.tiling();
      tiling.word = word;
      if (tiling.tiles() <= word.segment) tilings.push_back(tiling);
    }
    for (const Tiling& tiling : candidates(problem.height, problem.width, word)) tilings.push_back(tiling);
  }
  const Costs costs(problem, configuration);
  std::stable_sort(tilings.begin(), tilings.end(),
                   [&](const Tiling& a, const Tiling& b) { return costs.compute(a) < costs.compute(b); });
  Tiling best = tilings.front();
  double best_cost = Infinite;
  for (const Tiling& tiling : tilings) {
    if (costs.compute(tiling) >= best_cost) break;
    const double cost = costs.of(tiling);
    if (cost < best_cost) {
      best_cost = cost;
      best = tiling;
    }
  }
  return best;
}

Tiling choose_words(const TilingProblem& problem, const abi::Configuration& configuration) {
  const Costs costs(problem, configuration);
  Tiling best;
  double best_cost = Infinite;
  for (const SplitOption& option : problem.splits) {
    const Tiling tiling = fewest_words(problem.input_height, problem.input_width, option.split, configuration);
    const Way& way = option.ways.front();
    const double cost = way.slots * tiling.positions() * std::max(1.0, way.stream) +
                        costs.reading(window_layout(tiling, {}, problem.input_height, problem.input_width));
    if (cost < best_cost) {
      best_cost = cost;
      best = tiling;
    }
  }
  return best;
}

Tiling fewest_words(int height, int width, int split, const abi::Configuration& configuration) {
  const auto tilings = candidates(height, width, word_of(split, configuration));
  return *std::min_element(tilings.begin(), tilings.end(),
                           [](const Tiling& a, const Tiling& b) { return a.positions() < b.positions(); });
}

}  // namespace espalier::compile

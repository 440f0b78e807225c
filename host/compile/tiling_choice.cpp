#include "compile/tiling_choice.hpp"

#include <algorithm>
#include <limits>

#include "compile/write_program.hpp"

namespace espalier::compile {
namespace {

/// Bytes above which a write plan of unlike tiles is not tried for its cost.
constexpr int PlanLimit = 1 << 19;

std::vector<Tiling> candidates(int height, int width, int pixels) {
  std::vector<Tiling> tilings;
  for (int grid_y = 1; grid_y <= std::min(pixels, height); ++grid_y) {
    for (int grid_x = 1; grid_x * grid_y <= pixels && grid_x <= width; ++grid_x) {
      const Tiling tiling = Tiling::of(height, width, grid_y, grid_x);
      if (std::find(tilings.begin(), tilings.end(), tiling) == tilings.end()) tilings.push_back(tiling);
    }
  }
  return tilings;
}

/// The destination's tiles as a tiling of the map; only those make every destination word a single write.
bool aligned(const Tiling& tiling, const Layout& layout) {
  return (tiling.grid_y == layout.grid_y && tiling.grid_x == layout.grid_x) &&
         (tiling.grid_y == 1 || tiling.step_y == layout.step_y) &&
         (tiling.grid_x == 1 || tiling.step_x == layout.step_x);
}

class Costs {
 public:
  Costs(const TilingProblem& problem, const abi::Configuration& configuration)
      : problem_(problem),
        pixels_(static_cast<int>(configuration.pixels)),
        words_per_beat_(static_cast<int>(configuration.words_per_beat())) {}

  /// Estimated cycles; infinite if a table would overflow.
  double of(const Tiling& tiling) const {
    const double compute = tiling.positions() * problem_.slots;
    const double writes = writing(tiling) * problem_.rows / static_cast<double>(abi::Writers);
    const Layout source = window_layout(tiling, problem_.window, problem_.input_height, problem_.input_width);
    const double moved = static_cast<double>(source.rows) * source.columns * problem_.input_channels;
    double cost = std::max(compute, writes) + 0.01 * writes + 0.1 * moved / words_per_beat_;
    const bool known =
        problem_.sources.empty() || std::any_of(problem_.sources.begin(), problem_.sources.end(),
                                                [&](const Layout& other) { return other.same_tiles(source); });
    if (!known) cost += moved;
    return cost;
  }

 private:
  double writing(const Tiling& tiling) const {
    if (problem_.destinations.empty()) return tiling.positions();
    double words = 0;
    for (const Layout& layout : problem_.destinations) words = std::max(words, writing(tiling, layout));
    return words;
  }

  double writing(const Tiling& tiling, const Layout& layout) const {
    const int words = layout.rows * layout.columns;
    if (aligned(tiling, layout)) return words;
    if (words * pixels_ > PlanLimit) return std::numeric_limits<double>::infinity();
    const WritePlan plan = plan_writes(tiling, layout, pixels_);
    if (plan.permutations.size() > abi::PermuteDepth) return std::numeric_limits<double>::infinity();
    return static_cast<double>(plan.words());
  }

  const TilingProblem& problem_;
  int pixels_;
  int words_per_beat_;
};

}  // namespace

Tiling choose_tiling(const TilingProblem& problem, const abi::Configuration& configuration) {
  const int pixels = static_cast<int>(configuration.pixels);
  std::vector<Tiling> tilings = candidates(problem.height, problem.width, pixels);
  for (const Layout& layout : problem.destinations) {
    const Tiling tiling = layout.tiling();
    // The aligned tiling always has a valid write program.
    tilings.insert(tilings.begin(), tiling);
  }
  const Costs costs(problem, configuration);
  Tiling best = tilings.front();
  double best_cost = std::numeric_limits<double>::infinity();
  for (const Tiling& tiling : tilings) {
    const double lower = tiling.positions() * problem.slots;
    if (lower >= best_cost) continue;
    const double cost = costs.of(tiling);
    if (cost < best_cost) {
      best_cost = cost;
      best = tiling;
    }
  }
  return best;
}

Tiling fewest_words(int height, int width, const abi::Configuration& configuration) {
  const auto tilings = candidates(height, width, static_cast<int>(configuration.pixels));
  return *std::min_element(tilings.begin(), tilings.end(),
                           [](const Tiling& a, const Tiling& b) { return a.positions() < b.positions(); });
}

}  // namespace espalier::compile

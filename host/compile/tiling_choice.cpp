#include "compile/tiling_choice.hpp"

#include <algorithm>
#include <limits>

#include "compile/write_program.hpp"

namespace espalier::compile {
namespace {

constexpr double Infinite = std::numeric_limits<double>::infinity();

/// Bytes above which a write plan of unlike tiles is not tried for its cost.
constexpr int PlanLimit = 1 << 19;

/// Weight of the cycles of tiles that the scratchpad does not hold, so that any others are preferred.
constexpr double Unstageable = 1000;

/// What streaming a chunk's weights for every position costs beside their transfer.
constexpr double StreamedPenalty = 1.25;

/// Share of a load from a slow memory that the lanes wait for: that of the first strip.
constexpr double ExposedLoad = 0.2;

WordShape word_of(int split, const abi::Configuration& configuration) {
  return {split, static_cast<int>(configuration.pixels) / split};
}

std::vector<Tiling> all_tilings(int height, int width, WordShape word) {
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
  return !layout.sampled() && (tiling.grid_y == layout.grid_y && tiling.grid_x == layout.grid_x) &&
         (tiling.grid_y == 1 || tiling.step_y == layout.step_y) &&
         (tiling.grid_x == 1 || tiling.step_x == layout.step_x) && tiling.packed_height == layout.packed_height &&
         tiling.packed_width == layout.packed_width && tiling.strand_pitch == layout.strand_pitch &&
         (tiling.strand_pitch == 0 || tiling.step_x == layout.step_x);
}

const SplitOption& option(const TilingProblem& problem, const Tiling& tiling) {
  return *std::find_if(problem.splits.begin(), problem.splits.end(),
                       [&](const SplitOption& option) { return option.split == tiling.word.split; });
}

}  // namespace

/// Whether a plane of results and the input of one row of positions fit the scratchpad together, the least that a
/// streamed layer holds, and whether the layer that computes the input can do so plane by plane.
bool TilingChooser::stageable(const TilingProblem& problem, const Tiling& tiling) const {
  const Window& window = problem.window;
  const std::int64_t rows = std::int64_t{tiling.height - 1} * window.stride_y + window.extent_y();
  const std::int64_t columns = std::int64_t{tiling.width - 1} * window.stride_x + window.extent_x();
  // Rows that are read in strips start on beats.
  const int beat = static_cast<int>(configuration_.words_per_beat());
  const std::int64_t strip = (window.extent_y() - 1) * round_up(static_cast<int>(columns), beat) + columns + 1;
  const std::int64_t input =
      divide_up(problem.channels_per_result, tiling.word.split) * std::min(strip, rows * columns);
  const std::int64_t words = configuration_.scratch_words();
  if (tiling.positions() + input > words) return false;
  const bool one_plane = problem.input_channels <= tiling.word.split;
  return problem.loaded || one_plane || 2 * rows * columns <= words;
}

/// Cycles of the lanes and of the weight unit, whichever is slower.
double TilingChooser::compute(const TilingProblem& problem, const Tiling& tiling, double load) const {
  double best = Infinite;
  for (const Way& way : option(problem, tiling).ways) {
    const double streams = way.resident ? 1.0 : StreamedPenalty * tiling.positions();
    const double start = way.first * std::max(0.0, way.stream - 1);
    const double lanes = way.slots * tiling.positions() + ExposedLoad * load + start;
    best = std::min(best, std::max(lanes, way.slots * way.stream * streams + load));
  }
  return stageable(problem, tiling) ? best : best * Unstageable;
}

double TilingChooser::cost(const TilingProblem& problem, const Tiling& tiling) {
  const Layout source = window_layout(tiling, problem.window, problem.input_height, problem.input_width);
  const Writing written =
      problem.destination ? writing(tiling, *problem.destination) : Writing{static_cast<double>(tiling.positions()), 1};
  const double writes = written.words * option(problem, tiling).rows / configuration_.writers;
  return std::max(compute(problem, tiling, loading(problem, source)) * written.passes, writes) + 0.01 * writes +
         reading(problem, source);
}

/// Cycles of a slow memory for the input.
double TilingChooser::loading(const TilingProblem& problem, const Layout& source) const {
  if (!problem.loaded || problem.beat_cycles <= 1) return 0;
  const double words = static_cast<double>(source.rows) * source.columns * source.planes(problem.input_channels);
  return words * problem.beat_cycles / configuration_.words_per_beat();
}

/// Cycles to bring the input into this layout, beyond what happens anyway.
double TilingChooser::reading(const TilingProblem& problem, const Layout& source) {
  const double moved = static_cast<double>(source.rows) * source.columns * source.planes(problem.input_channels);
  double cost = 0;
  for (const auto& layouts : problem.sources) {
    double copy = layouts.empty() ? 0 : Infinite;
    for (const Layout& other : layouts) {
      copy = std::min(copy, other.same_tiles(source) ? 0 : copying(other, source, problem.input_channels));
    }
    cost += copy + 0.1 * moved / configuration_.words_per_beat();
  }
  return source.word.split > problem.most_source_split ? cost + moved : cost;
}

double TilingChooser::copying(const Layout& from, const Layout& to, int channels) {
  const Tiling tiling = from.tiling();
  const Writing writes = writing(tiling, to);
  const double rows = from.planes(channels);
  return rows * std::max(writes.words / configuration_.writers,
                         static_cast<double>(tiling.positions()) * writes.passes / configuration_.lanes);
}

TilingChooser::Writing TilingChooser::writing(const Tiling& tiling, const Layout& layout) {
  const int words = layout.rows * layout.columns;
  const int planes = std::max(1, tiling.word.split / layout.word.split);
  if (aligned(tiling, layout)) return {static_cast<double>(words) * planes, 1};
  if (words * layout.word.segment > PlanLimit) return {Infinite, 1};
  const std::vector<int> key{tiling.grid_y,        tiling.grid_x,       tiling.step_y,        tiling.step_x,
                             tiling.height,        tiling.width,        tiling.word.split,    layout.height,
                             layout.width,         layout.grid_y,       layout.grid_x,        layout.step_y,
                             layout.step_x,        layout.origin_y,     layout.origin_x,      layout.rows,
                             layout.columns,       layout.word.split,   tiling.packed_height, tiling.packed_width,
                             layout.packed_height, layout.packed_width, layout.sample_y,      layout.sample_x,
                             tiling.strand_pitch,  layout.strand_pitch};
  const auto [found, inserted] = known_.try_emplace(key);
  if (inserted) {
    const WritePlan plan = plan_writes(tiling, layout);
    found->second = {static_cast<double>(plan.words()),
                     divide_up(static_cast<int>(plan.permutations.size()), static_cast<int>(abi::PermuteDepth))};
  }
  return found->second;
}

TilingChoice TilingChooser::tiling(const TilingProblem& problem) {
  std::vector<Tiling> tilings;
  for (const SplitOption& option : problem.splits) {
    const WordShape word = word_of(option.split, configuration_);
    // Tiles of the destination need the fewest writes.
    if (problem.destination && !problem.destination->sampled() && problem.destination->strand_pitch == 0) {
      Tiling tiling = problem.destination->tiling();
      tiling.word = word;
      if (tiling.tiles() <= word.segment) tilings.push_back(tiling);
    }
    for (const Tiling& tiling : all_tilings(problem.height, problem.width, word)) tilings.push_back(tiling);
  }
  std::stable_sort(tilings.begin(), tilings.end(),
                   [&](const Tiling& a, const Tiling& b) { return compute(problem, a) < compute(problem, b); });
  TilingChoice best{tilings.front(), Infinite};
  for (const Tiling& tiling : tilings) {
    if (compute(problem, tiling) >= best.cost) break;
    const double cost = this->cost(problem, tiling);
    if (cost < best.cost) best = {tiling, cost};
  }
  return best;
}

std::vector<Tiling> TilingChooser::candidates(const TilingProblem& problem, double share, bool packed) const {
  const auto cycles = [&](const Tiling& tiling) {
    return compute(problem, tiling,
                   loading(problem, window_layout(tiling, problem.window, problem.input_height, problem.input_width)));
  };
  std::vector<std::pair<double, Tiling>> ranked;
  for (const SplitOption& option : problem.splits) {
    const WordShape word = word_of(option.split, configuration_);
    int fewest = std::numeric_limits<int>::max();
    for (const Tiling& tiling : all_tilings(problem.height, problem.width, word)) {
      ranked.emplace_back(cycles(tiling), tiling);
      fewest = std::min(fewest, tiling.positions());
    }
    if (problem.strand_gap) {
      const auto strands = Tiling::strands(problem.height, problem.width, *problem.strand_gap, word);
      if (strands && strands->positions() < fewest) ranked.emplace_back(compute(problem, *strands), *strands);
    }
    if (!packed) continue;
    for (const Tiling& tiling : all_tilings(problem.height, problem.width, word)) {
      if (4 * tiling.tiles() < 3 * word.segment) continue;
      const auto tight = Tiling::packed(problem.height, problem.width, tiling.grid_y, tiling.grid_x, word);
      if (tight && tight->positions() < fewest) ranked.emplace_back(cycles(*tight), *tight);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Tiling> result;
  for (const auto& [cost, tiling] : ranked) {
    if (cost <= share * ranked.front().first) result.push_back(tiling);
  }
  return result;
}

TilingChoice TilingChooser::words(const TilingProblem& problem) {
  const int first = problem.splits.front().split;
  TilingChoice best{fewest_words(problem.input_height, problem.input_width, first, configuration_), Infinite};
  for (const SplitOption& option : problem.splits) {
    const Tiling tiling = fewest_words(problem.input_height, problem.input_width, option.split, configuration_);
    const Way& way = option.ways.front();
    const double cost = way.slots * tiling.positions() * std::max(1.0, way.stream) +
                        reading(problem, window_layout(tiling, {}, problem.input_height, problem.input_width));
    if (cost < best.cost) best = {tiling, cost};
  }
  return best;
}

Tiling fewest_words(int height, int width, int split, const abi::Configuration& configuration) {
  const auto tilings = all_tilings(height, width, word_of(split, configuration));
  return *std::min_element(tilings.begin(), tilings.end(),
                           [](const Tiling& a, const Tiling& b) { return a.positions() < b.positions(); });
}

}  // namespace espalier::compile

#include <algorithm>
#include <cstddef>

#include "plan/cost/tiles.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// Devices that reach home in both directions, and home, in every combination of two or more that includes home first.
std::vector<std::vector<int>> device_sets(const Problem& problem) {
  std::vector<int> around;
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device)
    if (device != problem.home && find_link(problem, problem.home, device) && find_link(problem, device, problem.home))
      around.push_back(device);
  std::vector<std::vector<int>> sets;
  for (unsigned mask = 1; mask < (1U << std::min<std::size_t>(around.size(), 8)); ++mask) {
    std::vector<int> set{problem.home};
    for (std::size_t index = 0; index < around.size(); ++index)
      if ((mask >> index & 1U) != 0) set.push_back(around[index]);
    sets.push_back(std::move(set));
  }
  return sets;
}

// Speed over the range, scaled so that sums stay small; 0 if the device cannot run it.
std::int64_t speed(const Problem& problem, int first, int last, int device) {
  constexpr std::int64_t Scale = 1'000'000'000'000;
  Nanoseconds time = 0;
  for (int layer = first; layer <= last; ++layer) time = add(time, layer_cost(problem, 0, layer, device).mean);
  return time >= Impossible ? 0 : Scale / std::max<Nanoseconds>(time, 1);
}

void append(Problem& problem, int first, int last, std::vector<Tile> tiles) {
  if (tiles.size() > 1) problem.tilings.push_back({first, last, std::move(tiles)});
}

}  // namespace

std::vector<std::pair<int, int>> tileable_ranges(const Problem& problem) {
  std::vector<std::pair<int, int>> ranges;
  const int count = static_cast<int>(problem.layers.size());
  for (int first = 0; first < count; ++first) {
    for (int last = first; last < count && problem.layers[at(last)].window; ++last) {
      const bool head = std::any_of(problem.exits.begin(), problem.exits.end(), [&](const Exit& exit) {
        return exit.layer >= first && exit.layer < last;
      });
      if (head) break;
      if (segment(problem, first, last).tileable) ranges.emplace_back(first, last);
    }
  }
  return ranges;
}

void add_tilings(Problem& problem, const std::vector<int>& grids) {
  const std::vector<std::vector<int>> sets = device_sets(problem);
  for (const auto& [first, last] : tileable_ranges(problem)) {
    const Window& output = *problem.layers[at(last)].window;
    for (const std::vector<int>& set : sets) {
      std::vector<std::int64_t> speeds;
      for (const int device : set) speeds.push_back(speed(problem, first, last, device));
      if (std::find(speeds.begin(), speeds.end(), 0) != speeds.end()) continue;
      append(problem, first, last,
             row_tiles(output.height, output.width, set, std::vector<std::int64_t>(set.size(), 1)));
      append(problem, first, last, row_tiles(output.height, output.width, set, speeds));
      for (const int grid : grids) append(problem, first, last, grid_tiles(output.height, output.width, grid, grid, set));
    }
  }
}

}  // namespace espalier::plan

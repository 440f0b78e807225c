#include <algorithm>
#include <cstddef>

#include "plan/cost/tiles.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// Home, then the devices that reach it in both directions.
std::vector<int> around_home(const Problem& problem) {
  std::vector<int> devices{problem.home};
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device)
    if (device != problem.home && find_link(problem, problem.home, device) && find_link(problem, device, problem.home))
      devices.push_back(device);
  return devices;
}

// Every combination of two or more that includes home, home first.
std::vector<std::vector<int>> device_sets(const Problem& problem) {
  constexpr std::size_t MostOthers = 8;
  const std::vector<int> devices = around_home(problem);
  std::vector<std::vector<int>> sets;
  for (unsigned mask = 1; mask < (1U << std::min(devices.size() - 1, MostOthers)); ++mask) {
    std::vector<int> set{problem.home};
    for (std::size_t index = 1; index < devices.size() && index <= MostOthers; ++index)
      if ((mask >> (index - 1) & 1U) != 0) set.push_back(devices[index]);
    sets.push_back(std::move(set));
  }
  return sets;
}

// Scaled so that sums stay small; 0 if the device cannot run the range.
std::int64_t speed(const Problem& problem, int variant, int first, int last, int device) {
  constexpr std::int64_t Scale = 1'000'000'000'000;
  Nanoseconds time = 0;
  for (int layer = first; layer <= last; ++layer) time = add(time, layer_cost(problem, variant, layer, device).mean);
  return time >= Impossible ? 0 : Scale / std::max<Nanoseconds>(time, 1);
}

bool same(const std::vector<Tile>& one, const std::vector<Tile>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](const Tile& a, const Tile& b) {
    return a.device == b.device && a.first_row == b.first_row && a.last_row == b.last_row &&
           a.first_column == b.first_column && a.last_column == b.last_column;
  });
}

// Tilings of one range, none twice.
class RangeTilings {
 public:
  RangeTilings(Problem& problem, int first, int last) : problem_(problem), first_(first), last_(last) {
    begin_ = problem.tilings.size();
  }
  void add(std::vector<Tile> tiles) {
    if (tiles.empty()) return;
    for (std::size_t index = begin_; index < problem_.tilings.size(); ++index)
      if (same(problem_.tilings[index].tiles, tiles)) return;
    problem_.tilings.push_back({first_, last_, std::move(tiles)});
  }

 private:
  Problem& problem_;
  int first_, last_;
  std::size_t begin_;
};

}  // namespace

std::vector<std::pair<int, int>> tileable_ranges(const Problem& problem) {
  std::vector<std::pair<int, int>> ranges;
  const int count = static_cast<int>(problem.layers.size());
  for (int first = 0; first < count; ++first) {
    for (int last = first; last < count && problem.layers[at(last)].window; ++last) {
      const bool head = std::any_of(problem.exits.begin(), problem.exits.end(),
                                    [&](const Exit& exit) { return exit.layer >= first && exit.layer < last; });
      if (head) break;
      if (segment(problem, first, last).tileable) ranges.emplace_back(first, last);
    }
  }
  return ranges;
}

std::vector<Tile> allotted_tiles(const Problem& problem, int variant, int first, int last, int grid) {
  const Window& output = *problem.layers[at(last)].window;
  const std::vector<int> devices = around_home(problem);
  std::vector<Tile> tiles = grid_tiles(output.height, output.width, grid, grid, devices);
  std::vector<Nanoseconds> busy(devices.size(), 0);
  for (Tile& tile : tiles) {
    std::size_t best = 0;
    Nanoseconds best_end = Impossible;
    for (std::size_t index = 0; index < devices.size(); ++index) {
      tile.device = devices[index];
      const TilingCost cost =
          tiling_cost(problem, variant, tiling_shape(problem, variant, first, last, {tile}), problem.home);
      const Nanoseconds end = add(busy[index], cost.cost.mean);
      if (end >= best_end) continue;
      best_end = end;
      best = index;
    }
    tile.device = devices[best];
    busy[best] = best_end;
  }
  return tiles;
}

void add_tilings(Problem& problem, const std::vector<int>& grids) {
  const std::vector<std::vector<int>> sets = device_sets(problem);
  const int variants = static_cast<int>(problem.variants.size());
  for (const auto& [first, last] : tileable_ranges(problem)) {
    const Window output = *problem.layers[at(last)].window;
    RangeTilings range(problem, first, last);
    for (const std::vector<int>& set : sets) {
      range.add(row_tiles(output.height, output.width, set, std::vector<std::int64_t>(set.size(), 1)));
      for (int variant = 0; variant < variants; ++variant) {
        std::vector<std::int64_t> speeds;
        speeds.reserve(set.size());
        for (const int device : set) speeds.push_back(speed(problem, variant, first, last, device));
        range.add(row_tiles(output.height, output.width, set, speeds));
      }
      for (const int grid : grids)
        if (first == 0) range.add(grid_tiles(output.height, output.width, grid, grid, set));
    }
    for (const int grid : grids)
      for (int variant = 0; variant < variants && first == 0 && !sets.empty(); ++variant)
        range.add(allotted_tiles(problem, variant, first, last, grid));
  }
}

}  // namespace espalier::plan

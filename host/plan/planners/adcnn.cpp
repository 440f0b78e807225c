// ADCNN: the first layers as tiles without halo, given to workers by their speed; the rest at home.
//
// S. Q. Zhang, J. Lin, Q. Zhang, "Adaptive Distributed Convolutional Neural Network Inference at the Network Edge with ADCNN",
// ICPP 2020 (fully decomposable spatial partition). It needs a variant that was trained for isolated tiles, with its
// measured accuracy. Ours: tiles of a grid go, one by one, to the worker that would finish it first.
#include <algorithm>

#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/planners/spatial.hpp"

namespace espalier::plan {
namespace {

// One tile after the other to the device with the least expected end.
std::vector<Tile> allot(const Problem& problem, int variant, int first, int last, int grid) {
  const Window& output = *problem.layers[static_cast<std::size_t>(last)].window;
  const std::vector<int> devices = workers(problem);
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
      if (end < best_end) {
        best_end = end;
        best = index;
      }
    }
    tile.device = devices[best];
    busy[best] = best_end;
  }
  return tiles;
}

}  // namespace

SharedPlan adcnn(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem);
  const auto [first, last] = tileable_prefix(problem, policy);
  const int count = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (int variant = 0; variant < static_cast<int>(problem.variants.size()); ++variant) {
    if (!problem.variants[static_cast<std::size_t>(variant)].isolated_tiles || last < first) continue;
    for (const int grid : {2, 4, 8}) {
      std::vector<Piece> pieces{{first, last, allot(problem, variant, first, last, grid)}};
      if (last - first + 1 < count) pieces.push_back({last + 1, static_cast<int>(problem.layers.size()) - 1, {}});
      SharedPlan plan = pieces_plan(problem, policy, variant, pieces);
      const Evaluation cost = evaluate(problem, plan);
      if (cost.feasible) choose.offer(std::move(plan), value(problem, {request.objective, {}}, cost));
    }
  }
  return choose.take(problem, "adcnn", "isolated tiles to the workers by their speed, the rest at home");
}

}  // namespace espalier::plan

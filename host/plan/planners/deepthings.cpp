// DeepThings: the first layers fused, in a grid of tiles that idle workers steal.
//
// Zhao, Barijough, Gerstlauer, "DeepThings: Distributed Adaptive Deep Learning Inference on Resource-Constrained IoT
// Edge Clusters", IEEE TCAD 37(11), 2018, Algorithm 1; the geometry is cost/tiles.hpp, the stealing steal.hpp. Ours:
// without a run to steal in, tiles go to the workers in turn; of the published grids 3x3, 4x4, 5x5, and of the
// undivided rest at home, the grid of least latency is taken.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/planners/spatial.hpp"

namespace espalier::plan {

SharedPlan deepthings(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  const auto [first, last] = tileable_prefix(problem, policy);
  const int count = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (const int grid : {3, 4, 5}) {
    if (last < first) break;
    const Window& output = *problem.layers[static_cast<std::size_t>(last)].window;
    std::vector<Piece> pieces{{first, last, grid_tiles(output.height, output.width, grid, grid, workers(problem))}};
    if (last - first + 1 < count) pieces.push_back({last + 1, static_cast<int>(problem.layers.size()) - 1, {}});
    SharedPlan plan = pieces_plan(problem, policy, variant, pieces);
    const Evaluation cost = evaluate(problem, plan);
    if (cost.feasible) choose.offer(std::move(plan), value(problem, {request.objective, {}}, cost));
  }
  return choose.take(problem, "deepthings", "the first layers fused in a grid of tiles, the rest at home");
}

}  // namespace espalier::plan

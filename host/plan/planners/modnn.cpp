// MoDNN: every layer's rows shared among the workers in proportion to their speed, gathered after each layer.
//
// Mao et al., "MoDNN: Local Distributed Mobile Computing System for Deep Neural Network", DATE 2017 (biased
// one-dimensional partition). Ours: a layer that cannot be tiled runs at home; the sparse fully connected partition of
// the paper is left out; halo rows are sent by the group owner with the rest.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/planners/spatial.hpp"

namespace espalier::plan {

SharedPlan modnn(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  const std::vector<int> devices = workers(problem);
  std::vector<Piece> pieces;
  for (const int layer : needed_layers(problem, policy)) {
    pieces.push_back({layer, layer, {}});
    if (!segment(problem, layer, layer).tileable) continue;
    const Window& output = *problem.layers[static_cast<std::size_t>(layer)].window;
    pieces.back().tiles =
        row_tiles(output.height, output.width, devices, speeds(problem, variant, layer, layer, devices));
  }
  SharedPlan plan = pieces_plan(problem, policy, variant, pieces);
  const Evaluation cost = evaluate(problem, plan);
  Choose choose;
  if (cost.feasible) choose.offer(std::move(plan), value(problem, {request.objective, {}}, cost));
  return choose.take(problem, "modnn", "rows of every layer in proportion to the workers' speeds");
}

}  // namespace espalier::plan

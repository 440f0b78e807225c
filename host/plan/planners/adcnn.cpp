// ADCNN: the first layers as tiles without halo, given to workers by their speed; the rest at home.
//
// S. Q. Zhang, J. Lin, Q. Zhang, "Adaptive Distributed Convolutional Neural Network Inference at the Network Edge with
// ADCNN", ICPP 2020 (fully decomposable spatial partition). It needs a variant that was trained for isolated tiles,
// with its measured accuracy. Ours: tiles of a grid go, one by one, to the worker that would finish it first.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/planners/spatial.hpp"

namespace espalier::plan {
SharedPlan adcnn(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem);
  const auto [first, last] = tileable_prefix(problem, policy);
  const int count = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (int variant = 0; variant < static_cast<int>(problem.variants.size()); ++variant) {
    if (!problem.variants[static_cast<std::size_t>(variant)].isolated_tiles || last < first) continue;
    for (const int grid : {2, 4, 8}) {
      std::vector<Piece> pieces{{first, last, allotted_tiles(problem, variant, first, last, grid)}};
      if (last - first + 1 < count) pieces.push_back({last + 1, static_cast<int>(problem.layers.size()) - 1, {}});
      SharedPlan plan = pieces_plan(problem, policy, variant, pieces);
      const Evaluation cost = evaluate(problem, plan);
      if (cost.feasible) choose.offer(std::move(plan), value(problem, {request.objective, {}}, cost));
    }
  }
  return choose.take(problem, "adcnn", "isolated tiles to the workers by their speed, the rest at home");
}

}  // namespace espalier::plan

// DeepSlicing: stages between synchronisation points, rows of every stage in proportion to the workers' speeds.
//
// Zhang et al., "DeepSlicing: Collaborative and Adaptive CNN Inference With Low Latency", IEEE TPDS 2021, in the manner
// of its proportional synchronised scheduler. Ours: the search of the synchronisation points, which is dynamic
// programming on the common cost model; a stage that is faster at home stays there.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/planners/spatial.hpp"

namespace espalier::plan {

SharedPlan deepslicing(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  const std::vector<int> devices = workers(problem);
  const std::vector<Piece> pieces = best_pieces(problem, policy, variant, [&](int first, int last) {
    std::vector<Piece> candidates{{first, last, {}}};
    if (!segment(problem, first, last).tileable) return candidates;
    const Window& output = *problem.layers[static_cast<std::size_t>(last)].window;
    candidates.push_back(
        {first, last, row_tiles(output.height, output.width, devices, speeds(problem, variant, first, last, devices))});
    return candidates;
  });
  SharedPlan plan = pieces_plan(problem, policy, variant, pieces);
  const Evaluation cost = evaluate(problem, plan);
  Choose choose;
  if (cost.feasible) choose.offer(std::move(plan), value(problem, {request.objective, {}}, cost));
  return choose.take(problem, "deepslicing",
                     "row slices in proportion to speed between the best synchronisation points");
}

}  // namespace espalier::plan

// AOFL: which consecutive layers to fuse and on how many devices, by dynamic programming.
//
// Zhou, Samavatian, Bacha, Majumdar, Teodorescu, "Adaptive Parallel Execution of Deep Neural Networks on Heterogeneous
// Edge Devices", SEC 2019: dp[f] = min over i of cost(f, i) + dp[f + i], cost the least over the number of devices.
// Ours: the common cost model under the recurrence, equal rows per device, groups that end where one tensor alone is
// alive.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/planners/spatial.hpp"

namespace espalier::plan {

SharedPlan aofl(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  const std::vector<int> devices = workers(problem);
  const std::vector<Piece> pieces = best_pieces(problem, policy, variant, [&](int first, int last) {
    std::vector<Piece> candidates{{first, last, {}}};
    if (!segment(problem, first, last).tileable) return candidates;
    const Window& output = *problem.layers[static_cast<std::size_t>(last)].window;
    for (std::size_t count = 2; count <= devices.size(); ++count) {
      const std::vector<int> used(devices.begin(), devices.begin() + static_cast<std::ptrdiff_t>(count));
      candidates.push_back(
          {first, last, row_tiles(output.height, output.width, used, std::vector<std::int64_t>(count, 1))});
    }
    return candidates;
  });
  SharedPlan plan = pieces_plan(problem, policy, variant, pieces);
  const Evaluation cost = evaluate(problem, plan);
  Choose choose;
  if (cost.feasible) choose.offer(std::move(plan), value(problem, {request.objective, {}}, cost));
  return choose.take(problem, "aofl", "fused groups and their numbers of devices by dynamic programming");
}

}  // namespace espalier::plan

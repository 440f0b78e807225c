// Cogent: one cut and a pruning ratio together, under an accuracy limit.
//
// Shan, Ye, Cui, "Cogent: Collaborative inference of edge intelligence in containers", Security and Communication
// Networks 2020, Algorithm 1, in the manner of: its learning agent is replaced by exhaustive search over the same
// actions, cut and pruned variant. Ours: the search, and the pruning ratio as one of the measured variants for the
// whole network.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan cogent(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem);
  const int layers = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (int variant = 0; variant < static_cast<int>(problem.variants.size()); ++variant) {
    for (const int server : partners(problem)) {
      for (int cut = 0; cut <= layers; ++cut) {
        SharedPlan plan = cut_plan(problem, policy, variant, cut, problem.home, server);
        const std::int64_t cost = value(problem, request, evaluate(problem, plan));
        choose.offer(std::move(plan), cost);
      }
    }
  }
  return choose.take(problem, "cogent", "the best pair of cut and pruned variant above the accuracy floor");
}

}  // namespace espalier::plan

// SPINN: split point and exit threshold together, local and remote at once, under a list of agreements.
//
// Laskaridis et al., "SPINN: Synergistic Progressive Inference of Neural Networks over Device and Cloud", MobiCom 2020,
// in the manner of: per pair (split, threshold) the measured rates give accuracy and mean latency; hard agreements are
// the accuracy floor and the deadline, then the objective is the soft one. Ours: the solver, which is enumeration, and
// the sequential cost model in place of the run-time overlap.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan spinn(const Problem& problem, const Request& request) {
  Choose choose;
  const int variant = full_variant(problem);
  for (int policy = 0; policy < static_cast<int>(problem.policies.size()); ++policy) {
    const int layers = static_cast<int>(needed_layers(problem, policy).size());
    for (const int server : partners(problem)) {
      for (int cut = 0; cut <= layers; ++cut) {
        SharedPlan plan = cut_plan(problem, policy, variant, cut, problem.home, server);
        const std::int64_t cost = value(problem, request, evaluate(problem, plan));
        choose.offer(std::move(plan), cost);
      }
    }
  }
  return choose.take(problem, "spinn", "the split and threshold that meet floor and deadline at the least mean cost");
}

}  // namespace espalier::plan

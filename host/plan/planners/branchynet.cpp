// BranchyNet: early exits on one device; thresholds at the knee of measured accuracy and time.
//
// Teerapittayanon, McDanel, Kung, "BranchyNet: Fast Inference via Early Exiting from Deep Neural Networks", ICPR 2016,
// section III-B; the rule itself is exit_rule.hpp. Ours: a threshold setting is a policy with measured rates, the knee
// is the least mean objective above the accuracy floor, of all variants.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan branchynet(const Problem& problem, const Request& request) {
  Choose choose;
  for (int policy = 0; policy < static_cast<int>(problem.policies.size()); ++policy) {
    const int layers = static_cast<int>(needed_layers(problem, policy).size());
    SharedPlan plan = cut_plan(problem, policy, full_variant(problem), layers, problem.home, problem.home);
    const std::int64_t cost = value(problem, request, evaluate(problem, plan));
    choose.offer(std::move(plan), cost);
  }
  return choose.take(problem, "branchynet", "the exits of least mean cost above the accuracy floor, all at home");
}

}  // namespace espalier::plan

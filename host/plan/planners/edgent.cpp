// Edgent: the deepest exit whose latency, with the best single cut, meets the deadline.
//
// Li, Zhou, Chen, "Edge Intelligence: On-Demand Deep Learning Model Co-Inference with Device-Edge Synergy", MECOMM
// 2018, Algorithm 1. As published the FIRST part runs on the edge server and the LAST on the device: the raw input is
// uploaded, the intermediate tensor downloaded, and an answer made on the server has no download; that is
// Direction::RemoteFirst. Ours: the opposite direction as a flag; of several servers the best; the deepest exit if
// there is no deadline.
#include "plan/planners/edgent.hpp"

#include <algorithm>

#include "plan/planners/actions.hpp"

namespace espalier::plan {

std::int64_t edgent_estimate(const Problem& problem, const SharedPlan& plan, Direction direction, int cut) {
  const bool ends_away = direction == Direction::HomeFirst || cut == static_cast<int>(plan.steps.size());
  const Evaluation cost = evaluate(problem, plan, ends_away ? Returns::Free : Returns::Charged);
  return cost.feasible ? cost.latency : Impossible;
}

std::optional<SharedPlan> edgent_static(const Problem& problem, const Request& request, Direction direction) {
  std::vector<int> order;
  for (int policy = 0; policy < static_cast<int>(problem.policies.size()); ++policy)
    if (problem.policies[static_cast<std::size_t>(policy)].leaves.size() == 1) order.push_back(policy);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return problem.policies[static_cast<std::size_t>(a)].leaves[0].exit >
           problem.policies[static_cast<std::size_t>(b)].leaves[0].exit;
  });
  const int variant = full_variant(problem);
  for (const int policy : order) {
    Choose choose;
    const int layers = static_cast<int>(needed_layers(problem, policy).size());
    for (const int server : partners(problem)) {
      for (int cut = 0; cut <= layers; ++cut) {
        const bool home_first = direction == Direction::HomeFirst;
        SharedPlan plan = cut_plan(problem, policy, variant, cut, home_first ? problem.home : server,
                                   home_first ? server : problem.home);
        const std::int64_t estimate = edgent_estimate(problem, plan, direction, cut);
        choose.offer(std::move(plan), estimate);
      }
    }
    if (choose.none() || (request.deadline && choose.value() > times(*request.deadline, Whole))) continue;
    return choose.take(problem, "edgent", "the deepest exit whose best cut meets the deadline");
  }
  return std::nullopt;
}

SharedPlan edgent(const Problem& problem, const Request& request) {
  if (std::optional<SharedPlan> plan = edgent_static(problem, request, Direction::RemoteFirst)) return *plan;
  return Choose().take(problem, "edgent", {});
}

}  // namespace espalier::plan

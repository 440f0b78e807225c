// Neurosurgeon: one cut, the first part at home, the rest on a server; the cut of least latency or device energy.
//
// Kang et al., "Neurosurgeon: Collaborative Intelligence Between the Cloud and Mobile Edge", ASPLOS 2017:
//   argmin_p sum_{i<=p} TM_i + D_p / B + K sum_{i>p} TC_i, or argmin_p sum_{i<=p} PM_i TM_i + PU D_p / B.
// The answer's way back is left out, as there. Ours: a cut of a branching network is a cut of its topological order; of
// several servers the best is taken; throughput is not treated there, latency stands in.
#include "plan/cost/transfer.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan neurosurgeon(const Problem& problem, const Request& request) {
  // The device's energy alone: what the server spends is not counted.
  Problem mobile = problem;
  for (Variant& variant : mobile.variants)
    for (LayerVariant& layer : variant.layers)
      for (std::size_t device = 0; device < layer.costs.size(); ++device)
        if (static_cast<int>(device) != problem.home && layer.costs[device]) layer.costs[device]->energy = 0;
  const int policy = full_policy(problem), variant = full_variant(problem);
  const int layers = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (const int server : partners(problem)) {
    for (int cut = 0; cut <= layers; ++cut) {
      SharedPlan plan = cut_plan(problem, policy, variant, cut, problem.home, server);
      const Evaluation cost = evaluate(mobile, plan, Returns::Free);
      if (!cost.feasible) continue;
      choose.offer(std::move(plan), request.objective == Objective::Energy ? cost.energy : cost.latency);
    }
  }
  return choose.take(problem, "neurosurgeon", "one cut of least latency or device energy, answer's return not counted");
}

}  // namespace espalier::plan

// CRIME: the whole inference of an input on the one device that finishes it first. The model is not cut.
//
// Jahier Pagliari, Chiaro, Macii, Poncino, "CRIME: Input-Dependent Collaborative Inference for Recurrent Neural
// Networks", IEEE Trans. Computers 70(10), 2021; the form argmin_d T_tx + T_exec,d in the manner of its abstract. Ours:
// the answer's return is counted, energy as the second objective.
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan crime(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  const int layers = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device) {
    SharedPlan plan = cut_plan(problem, policy, variant, layers, device, device);
    const Evaluation cost = evaluate(problem, plan);
    if (cost.feasible)
      choose.offer(std::move(plan), request.objective == Objective::Energy ? cost.energy : cost.latency);
  }
  return choose.take(problem, "crime", "the whole network on the device that ends first");
}

}  // namespace espalier::plan

// The published systems as planners on the common cost model: pure functions from a problem to a plan.
//
//   for (const Planner& planner : planners()) compare(planner.name, planner.plan(problem, request));
//
// Every planner decides by the formula its paper gives; evaluate() then says what its plan really costs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/cost/evaluate.hpp"
#include "plan/cost/plan_data.hpp"

namespace espalier::plan {

struct Planner {
  std::string name;
  std::string reference;
  SharedPlan (*plan)(const Problem& problem, const Request& request);
};

/// All published planners and `ours`, in this order.
const std::vector<Planner>& planners();

/// Validates the problem and runs a planner. Throws Error (Usage) for an unknown name and Error (Unsupported) if the
/// planner finds no plan.
SharedPlan run_planner(std::string_view name, const Problem& problem, const Request& request);

/// Which device runs the first part of a cut network.
enum class Direction { HomeFirst, RemoteFirst };

// Each throws Error (Unsupported) if its actions contain no feasible plan.
SharedPlan neurosurgeon(const Problem& problem, const Request& request);
SharedPlan edgent(const Problem& problem, const Request& request);
SharedPlan edgent_dynamic(const Problem& problem, const Request& request);
SharedPlan deepthings(const Problem& problem, const Request& request);
SharedPlan modnn(const Problem& problem, const Request& request);
SharedPlan cogent(const Problem& problem, const Request& request);
SharedPlan deepx(const Problem& problem, const Request& request);
SharedPlan aofl(const Problem& problem, const Request& request);
SharedPlan crime(const Problem& problem, const Request& request);
SharedPlan deepslicing(const Problem& problem, const Request& request);
SharedPlan adcnn(const Problem& problem, const Request& request);
SharedPlan branchynet(const Problem& problem, const Request& request);
SharedPlan dads(const Problem& problem, const Request& request);
SharedPlan dads_heavy(const Problem& problem, const Request& request);
SharedPlan qdmp(const Problem& problem, const Request& request);
SharedPlan jointdnn(const Problem& problem, const Request& request);
SharedPlan spinn(const Problem& problem, const Request& request);

}  // namespace espalier::plan

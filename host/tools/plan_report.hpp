// The page of the plan command: the table of all algorithms, latency against bandwidth, chosen exit and cut, and the
// Pareto front of accuracy and latency.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "console.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/cost/plan_data.hpp"

namespace espalier::tools {

/// A planner's plan with its cost, or why it has none.
struct PlanRow {
  std::string planner, reference;
  std::optional<plan::SharedPlan> plan;
  plan::Evaluation cost;
  std::string refusal;
};

/// Runs a planner; a refusal (Unsupported) is a row, every other error is thrown.
PlanRow plan_row(const std::string& planner, const plan::Problem& problem, const plan::Request& request);

/// How many layers run where, in their order: "12 on accelerator, 1 in 25 tiles, 60 on server".
std::string placement_text(const plan::Problem& problem, const plan::SharedPlan& plan);

/// The page. Plans again at every bandwidth of the sweep with each of the rows' planners.
std::string plan_report(const plan::Problem& problem, const plan::Request& request, const std::vector<PlanRow>& rows,
                        Console& console);

}  // namespace espalier::tools

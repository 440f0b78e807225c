// What `espalier plan --json` or -o wrote, read again.
#pragma once

#include <string>

#include "plan/cost/plan_data.hpp"
#include "plan/cost/problem.hpp"

namespace espalier::tools {

struct PlanDocument {
  plan::Problem problem;
  plan::SharedPlan plan;

  /// The index of a device. Throws Error (Usage) naming the devices there are.
  int device(const std::string& name) const;
};

/// The plan of the named planner, or of the only one. Throws Error (Input) for a file that is no such document, Error
/// (Usage) if it has several plans and none is named, or no plan of this name.
PlanDocument read_plan(const std::string& path, const std::string& planner = {});

}  // namespace espalier::tools

// A plan: which policy and variant, and the steps in order, with what a planner says about them.
#pragma once

#include <string>
#include <vector>

#include "plan/cost/problem.hpp"

namespace espalier::plan {

/// Layers first..last that the policy needs, in order: on one device, or as tiles that start from and end on `device`.
struct PlanStep {
  int first = 0, last = 0;
  int device = 0;
  std::vector<Tile> tiles;  // none: the device alone
};

/// How the optimality of a plan is shown: for each (policy, variant) a bound from multipliers that the checker
/// recomputes; see search/check.hpp.
struct Certificate {
  struct Case {
    int policy = 0, variant = 0;
    std::int64_t deadline_multiplier = 0;  // objective units per nanosecond over the deadline
    std::vector<std::int64_t>
        load_multipliers;          // throughput: per resource, with any sum; that of the deadline is in its scale
    std::int64_t lower_bound = 0;  // no plan of this case is better
  };
  std::vector<Case> cases;
  std::int64_t lower_bound = 0;  // of all cases
  std::int64_t value = 0;        // of the plan; equal to the lower bound if the plan is proven optimal
  bool proven() const { return value == lower_bound; }
};

struct SharedPlan {
  std::string planner;
  std::string reference;  // of the method
  int policy = 0;
  int variant = 0;
  std::vector<PlanStep> steps;
  std::vector<std::string> explanation;
  std::vector<Certificate> certificate;  // one, or none
};

}  // namespace espalier::plan

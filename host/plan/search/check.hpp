// The checker of certificates. It shares the data types with the search and nothing else: own costs, own states, own
// bounds.
#pragma once

#include <cstdint>
#include <string>

#include "plan/cost/plan_data.hpp"

namespace espalier::plan {

struct CheckResult {
  bool valid = false;
  std::string reason;            // if it is not
  std::int64_t value = 0;        // of the plan, in the units of the objective
  std::int64_t lower_bound = 0;  // proven for every plan of the problem
};

/// Verifies that the plan's value is what its certificate says, that it keeps deadline, floor and memories, that the
/// certificate has a case for every policy and variant above the floor, and that no plan of any case is better than the
/// case's bound. `most_labels` bounds the work; a certificate that needs more is reported as not verified.
CheckResult check(const Problem& problem, const Request& request, const SharedPlan& plan,
                  std::size_t most_labels = 2'000'000);

}  // namespace espalier::plan

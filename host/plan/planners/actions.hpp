// Pieces that the action spaces of several planners share.
#pragma once

#include <string>
#include <vector>

#include "plan/cost/evaluate.hpp"
#include "plan/cost/plan_data.hpp"

namespace espalier::plan {

/// The layers that a policy needs, in order.
std::vector<int> needed_layers(const Problem& problem, int policy);

/// The policy without early exits that goes deepest; of planners that know no exits.
int full_policy(const Problem& problem);
/// The variant with the highest accuracy in that policy, the first of equals; of planners that know no variants.
int full_variant(const Problem& problem);

/// Remote devices; all but home if none is.
std::vector<int> partners(const Problem& problem);

/// One step per layer, on the device that is named for it.
SharedPlan placed(const Problem& problem, int policy, int variant, const std::vector<int>& devices);

/// The first `cut` needed layers on `before`, the others on `after`.
SharedPlan cut_plan(const Problem& problem, int policy, int variant, int cut, int before, int after);

/// Positions in the needed layers after which one tensor alone is alive, the end included.
std::vector<int> cut_positions(const Problem& problem, int policy);

/// Keeps the plan of the least value; the first of equals.
class Choose {
 public:
  void offer(SharedPlan plan, std::int64_t value) {
    if (value >= value_) return;
    value_ = value;
    plan_ = std::move(plan);
  }
  std::int64_t value() const { return value_; }
  bool none() const { return value_ >= Impossible; }
  /// Names planner and reason. Throws Error (Unsupported) if nothing was offered.
  SharedPlan take(const Problem& problem, const std::string& planner, const std::string& reason);

 private:
  std::int64_t value_ = Impossible;
  SharedPlan plan_;
};

}  // namespace espalier::plan

// Groups of consecutive layers on two devices: the graph that JointDNN searches.
#pragma once

#include <optional>
#include <vector>

#include "plan/cost/plan_data.hpp"

namespace espalier::plan {

/// Layers first..last, from the begin-th to the end-th position with a single tensor.
struct GroupRun {
  int begin = 0, end = 0;
  int first = 0, last = 0;
};

/// All of them, by begin, then by end.
std::vector<GroupRun> group_runs(const Problem& problem, int policy);

/// Adds a run to a plan: as a declared group if there is one, else layer by layer.
void append_run(const Problem& problem, int policy, int variant, const GroupRun& run, int device, SharedPlan& plan);

/// The path of least objective + multiplier * bound; none if there is no path.
std::optional<SharedPlan> shortest_groups(const Problem& problem, Objective objective, std::int64_t multiplier,
                                          int policy, int variant, int server);

}  // namespace espalier::plan

// Edgent's static algorithm with its direction as a parameter, and its mode for changing bandwidth.
#pragma once

#include <optional>
#include <vector>

#include "plan/planners/planner.hpp"

namespace espalier::plan {

/// Algorithm 1: the deepest exit that a cut brings under the deadline, with the best cut; none if there is none.
/// Without a deadline the deepest exit.
std::optional<SharedPlan> edgent_static(const Problem& problem, const Request& request, Direction direction);

/// The estimate A of Algorithm 1 for one cut, nanoseconds * Whole; Impossible if it cannot be executed.
std::int64_t edgent_estimate(const Problem& problem, const SharedPlan& plan, Direction direction, int cut);

/// The configuration map: for each bandwidth (bytes per second, rising) of all links of home the plan of best reward.
struct ConfigurationMap {
  struct Entry {
    std::int64_t bytes_per_second = 0;
    std::optional<SharedPlan> plan;
  };
  std::vector<Entry> entries;
};
ConfigurationMap configuration_map(const Problem& problem, const Request& request,
                                   const std::vector<std::int64_t>& bandwidths);

/// Bandwidth over time as runs of one level.
struct BandwidthState {
  double level = 0;      // bytes per second; 0: nothing seen yet
  int outside = 0;       // samples in a row that do not belong to the level
  double candidate = 0;  // their mean
  bool changed = false;  // by the last sample
};
/// A change point is declared after `confirm` samples in a row that differ from the level by more than `tolerance` of
/// it.
BandwidthState observe(BandwidthState state, double bytes_per_second, double tolerance, int confirm);

/// The entry nearest to the level.
const ConfigurationMap::Entry& look_up(const ConfigurationMap& map, double bytes_per_second);

}  // namespace espalier::plan

// Placing a branching network on two devices by a minimum cut, as DADS does; with the way back charged or forbidden.
#pragma once

#include <optional>
#include <vector>

#include "plan/cost/plan_data.hpp"

namespace espalier::plan {

/// A tensor that goes back to home pays like one that leaves; or it must not go back, answers excepted.
enum class WayBack { Charged, Forbidden };

/// Factors on times at home, of transfers and at the server.
struct CutWeights {
  std::int64_t home = 1, link = 1, server = 1;
};

struct PlacementCut {
  std::int64_t value = 0;    // nanoseconds * Whole, or nanojoules * Whole; weighted
  std::vector<bool> server;  // per needed layer
  int nodes = 0;             // of the flow network
};

/// The placement of least weighted sum for the needed layers `begin`..`end` - 1; those before are at home, those after
/// at the server. None if there is no placement.
std::optional<PlacementCut> placement_cut(const Problem& problem, Objective objective, int policy, int variant,
                                          int server, WayBack way_back, const CutWeights& weights, int begin, int end);

/// The plan of a placement.
SharedPlan placement_plan(const Problem& problem, int policy, int variant, int server, const PlacementCut& cut);

}  // namespace espalier::plan

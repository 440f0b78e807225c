// The common set of scenarios: networks of the bench tables on an accelerator with a CPU, a link and a server.
#pragma once

#include <string>
#include <vector>

#include "esp_abi.hpp"
#include "plan/cost/problem.hpp"

namespace espalier::plan {

struct Scenario {
  std::string name;
  Problem problem;  // with tilings
  Request request;  // its objective is to be set
};

/// Which networks, on which array, and every how manieth scenario of each.
struct ScenarioSet {
  std::vector<std::string> networks;
  abi::Configuration array;
  int every = 1;
};

/// Eight links from 50 kbit/s to 1 Gbit/s times four servers of 0.5 to 50 times the accelerator, per network. Variants
/// are dense, pruned to a quarter of the weights, and tiles trained without halo; an early exit at about a third of the
/// network; accuracy floors, memories and deadlines differ from scenario to scenario. Accuracies are given numbers.
std::vector<Scenario> scenarios(const ScenarioSet& set);

struct ScenarioTotals {
  int scenarios = 0, plans = 0, executed = 0, proven = 0, solved = 0;
  double largest_gap = 0;  // of those that are not proven
  int best = 0;            // times that another planner was as good
};

/// For every objective: ours is never worse than a valid plan of another planner, and every feasible plan executed in
/// virtual time has the totals of its evaluation. Failures are those of the running test.
ScenarioTotals check_scenarios(const std::vector<Scenario>& set);

}  // namespace espalier::plan

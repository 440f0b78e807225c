// The one evaluator: what a plan costs. Planners are compared by it and by nothing else.
//
// Steps run one after the other. A tensor is sent from the device that made it, once to each device that needs it; the
// answer of every exit of the policy is sent home when it is made. A step counts in the mean with the share of samples
// that has not left before it. A tiling costs the time of its slowest device. Throughput is the mean time per sample of
// the busiest device or link direction, with several samples in flight.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/cost/plan_data.hpp"
#include "plan/cost/problem.hpp"

namespace espalier::plan {

/// Whether transfers towards home are counted; published formulas leave some out.
enum class Returns { Charged, Free };

struct Evaluation {
  bool feasible = false;
  std::string reason;               // if it is not feasible
  std::int64_t latency = 0;         // mean time of a sample, nanoseconds * Whole
  std::int64_t energy = 0;          // mean energy of a sample, nanojoules * Whole
  std::int64_t bottleneck = 0;      // largest load
  std::vector<std::int64_t> loads;  // nanoseconds * Whole per sample: devices, then links
  Nanoseconds bound = 0;            // of a sample that takes every exit's way
  BasisPoints accuracy = 0;
};

/// Throws nothing; a plan that cannot be executed is not feasible and has a reason.
Evaluation evaluate(const Problem& problem, const SharedPlan& plan, Returns returns = Returns::Charged);

/// The number of an evaluation that the objective minimises; Impossible if it is not feasible, misses the deadline or
/// the accuracy floor.
std::int64_t value(const Problem& problem, const Request& request, const Evaluation& evaluation);

/// The share of samples that reach each layer: those that did not leave at an exit of the policy before it in the
/// order; 0 for layers that no exit of the policy needs.
std::vector<BasisPoints> reach(const Problem& problem, const Policy& policy);

/// Whether `layer` makes an answer of the policy.
bool is_exit(const Problem& problem, const Policy& policy, int layer);

}  // namespace espalier::plan

// The named scenarios of the proof: a plan on machines and links, slowed down so that processes can keep its times.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "link_schedule.hpp"
#include "plan/cost/plan_data.hpp"
#include "plan/network/network_problem.hpp"

namespace espalier::test {

struct EdgeScenario {
  std::string name;
  plan::Problem problem;  // undilated, without tilings
  plan::SharedPlan plan;
  std::int64_t dilation = 1;  // of all times; rates are divided by it
  std::size_t frames = 1;     // that are there at once
  std::size_t in_flight = 1;
  /// Of the link between home and the server, in dilated time from the beginning of a run; empty: as the problem says.
  std::vector<LinkPhase> up, down;
  std::uint64_t seed = 1;
};

/// All of them, for the network whose times these are.
std::vector<EdgeScenario> edge_scenarios(const model::Network& network, const plan::NetworkTimes& times);

/// The problem with all times multiplied.
plan::Problem dilated(const plan::Problem& problem, std::int64_t factor);

/// The two directions of a device's link with home.
struct LinkPair {
  std::vector<LinkPhase> up, down;
};
LinkPair phases_of(const EdgeScenario& scenario, int device);

/// What the cost model says: from the beginning of the frames to the last answer, nanoseconds of dilated time.
plan::Nanoseconds predicted(const EdgeScenario& scenario);

/// The same over links without delay whose bytes a token bucket lets through; it is full at the beginning.
plan::Nanoseconds predicted_behind_buckets(const EdgeScenario& scenario, plan::Bytes burst);

}  // namespace espalier::test

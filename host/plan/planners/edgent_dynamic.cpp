// Edgent for changing bandwidth: a map from bandwidth states to plans, made beforehand, and a change-point detector
// that says when to look into it.
//
// Li, Zeng, Zhou, Chen, "Edge AI: On-Demand Accelerating Deep Neural Network Inference via Edge Computing", IEEE TWC
// 2020, in the manner of its configuration map: for every state the exit and cut of the highest reward, exp(accuracy) +
// throughput if the deadline is met, else 0. Ours: the detector, which counts samples outside the level's tolerance
// where the paper uses Bayesian detection; the common cost model under the formula; cuts with the first part at home.
#include <cmath>

#include "plan/planners/actions.hpp"
#include "plan/planners/edgent.hpp"

namespace espalier::plan {
namespace {

constexpr double NanosecondsPerSecond = 1e9;

double reward(const Evaluation& cost, const Request& request) {
  const double latency = static_cast<double>(cost.latency) / static_cast<double>(Whole);
  if (request.deadline && latency > static_cast<double>(*request.deadline)) return 0;
  return std::exp(static_cast<double>(cost.accuracy) / static_cast<double>(Whole)) +
         NanosecondsPerSecond / std::max(latency, 1.0);
}

std::optional<SharedPlan> best_reward(const Problem& problem, const Request& request) {
  std::optional<SharedPlan> best;
  double most = 0;
  const int variant = full_variant(problem);
  for (int policy = 0; policy < static_cast<int>(problem.policies.size()); ++policy) {
    if (problem.policies[static_cast<std::size_t>(policy)].leaves.size() != 1) continue;
    const int layers = static_cast<int>(needed_layers(problem, policy).size());
    for (const int server : partners(problem)) {
      for (int cut = 0; cut <= layers; ++cut) {
        SharedPlan plan = cut_plan(problem, policy, variant, cut, problem.home, server);
        const Evaluation cost = evaluate(problem, plan, Returns::Free);
        if (!cost.feasible || cost.accuracy < problem.accuracy_floor || reward(cost, request) <= most) continue;
        most = reward(cost, request);
        best = std::move(plan);
      }
    }
  }
  return best;
}

}  // namespace

ConfigurationMap configuration_map(const Problem& problem, const Request& request,
                                   const std::vector<std::int64_t>& bandwidths) {
  ConfigurationMap map;
  for (const std::int64_t bandwidth : bandwidths) {
    Problem state = problem;
    for (Link& link : state.links)
      if (link.from == problem.home || link.to == problem.home) link.bytes_per_second = bandwidth;
    map.entries.push_back({bandwidth, best_reward(state, request)});
  }
  return map;
}

BandwidthState observe(BandwidthState state, double bytes_per_second, double tolerance, int confirm) {
  state.changed = false;
  if (state.level <= 0) {
    state.level = bytes_per_second;
    state.changed = true;
    return state;
  }
  if (std::abs(bytes_per_second - state.level) <= tolerance * state.level) {
    state.outside = 0;
    state.candidate = 0;
    return state;
  }
  state.candidate = (state.candidate * state.outside + bytes_per_second) / (state.outside + 1);
  ++state.outside;
  if (state.outside < confirm) return state;
  return {state.candidate, 0, 0, true};
}

const ConfigurationMap::Entry& look_up(const ConfigurationMap& map, double bytes_per_second) {
  const ConfigurationMap::Entry* nearest = &map.entries.front();
  const auto distance = [&](const ConfigurationMap::Entry& entry) {
    return std::abs(static_cast<double>(entry.bytes_per_second) - bytes_per_second);
  };
  for (const ConfigurationMap::Entry& entry : map.entries)
    if (distance(entry) < distance(*nearest)) nearest = &entry;
  return *nearest;
}

SharedPlan edgent_dynamic(const Problem& problem, const Request& request) {
  std::optional<SharedPlan> plan = best_reward(problem, request);
  if (!plan) return Choose().take(problem, "edgent_dynamic", {});
  plan->explanation.emplace_back("exit and cut of the highest reward in the bandwidth state of the moment");
  return *plan;
}

}  // namespace espalier::plan

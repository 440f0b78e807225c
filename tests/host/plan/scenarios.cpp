#include "scenarios.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

#include "esp_error.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/cost/tiles.hpp"
#include "plan/network/network_problem.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/search/solve.hpp"
#include "plan/simulate/simulate.hpp"
#include "zoo/zoo.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr std::int64_t BitsPerSecond[] = {50'000,     400'000,     2'000'000,   10'000'000,
                                          50'000'000, 100'000'000, 400'000'000, 1'000'000'000};
constexpr double Servers[] = {0.5, 2, 10, 50};
constexpr BasisPoints Dense = 7600, Pruned = 7550, Isolated = 7480;  // of the last exit
constexpr BasisPoints EarlyLoss = 600;                               // of the early exit alone
constexpr BasisPoints MixedLoss = 30;                                // of both with thresholds
constexpr BasisPoints EarlyShare = 6000;

struct Base {
  model::Network network;
  std::vector<NetworkVariant> variants;
};

Base base_network(const std::string& name, const abi::Configuration& array) {
  TimesOptions options;
  options.positions = 1;
  Base base{zoo::build(name, {}), {}};
  const NetworkTimes dense = network_times(base.network, array, options);
  zoo::Options quarter;
  quarter.density = 0.25;
  base.variants = {{"dense", Dense, dense, 100},
                   {"pruned", Pruned, network_times(zoo::build(name, quarter), array, options), 30},
                   {"isolated tiles", Isolated, dense, 100}};
  return base;
}

/// Adds a head behind layer `trunk`: a layer that turns its map into an answer of `bytes`, and the exit there.
void add_head(Problem& problem, int trunk, Bytes bytes) {
  const auto moved = [&](int layer) { return layer > trunk ? layer + 1 : layer; };
  for (Layer& layer : problem.layers)
    for (int& input : layer.inputs) input = moved(input);
  problem.layers.insert(problem.layers.begin() + trunk + 1, Layer{"early head", {trunk}, std::nullopt, 0});
  for (Variant& variant : problem.variants) {
    LayerVariant head = variant.layers[at(trunk)];
    head.output_bytes = bytes;
    for (std::optional<Cost>& cost : head.costs)
      if (cost) cost->time = {cost->time.mean / 4, cost->time.bound / 4, cost->time.source};
    variant.layers.insert(variant.layers.begin() + trunk + 1, std::move(head));
  }
  std::erase_if(problem.groups, [&](const Group& group) { return group.first <= trunk && group.last > trunk; });
  for (Group& group : problem.groups)
    group = {moved(group.first), moved(group.last), group.device, group.variant, group.cost};
  for (Exit& exit : problem.exits) exit.layer = moved(exit.layer);
  problem.exits.insert(problem.exits.begin(), Exit{"early", trunk + 1});
  Policy last = problem.policies.front(), early = last, both = last;
  last.leaves = {{1, Whole}};
  early = {"early", {{0, Whole}}, {}};
  both = {"both", {{0, EarlyShare}, {1, Whole - EarlyShare}}, {}};
  for (const BasisPoints accuracy : last.accuracy) {
    early.accuracy.push_back(accuracy - EarlyLoss);
    both.accuracy.push_back(accuracy - MixedLoss);
  }
  problem.policies = {last, early, both};
}

Scenario scenario(const std::string& network, const Base& base, int index) {
  const std::int64_t bits = BitsPerSecond[index % 8];
  Machines machines;
  machines.server = Servers[index / 8];
  machines.up_bytes_per_second = bits / 8;
  machines.down_bytes_per_second = bits / 4;
  machines.link_latency = index % 3 == 0 ? 1'000'000 : 10'000'000;
  Scenario result{network + ", " + std::to_string(bits) + " bit/s, server " + std::to_string(machines.server),
                  network_problem(base.network, base.variants, machines),
                  {}};
  Problem& problem = result.problem;
  problem.name = result.name;
  problem.variants[2].isolated_tiles = true;
  const std::vector<int> cuts = cut_positions(problem, 0);
  add_head(problem, needed_layers(problem, 0)[at(cuts[cuts.size() / 3] - 1)], 1000);
  problem.accuracy_floor = std::vector<BasisPoints>{7500, 7000, 7560, 6500}[at(index % 4)];
  if (index % 5 == 0) {
    Bytes weights = 0;
    for (const LayerVariant& layer : problem.variants.front().layers) weights += layer.weight_bytes;
    problem.devices[1].memory = weights / 2;
  }
  if (index % 2 == 0) {
    Nanoseconds time = 0;
    for (const LayerVariant& layer : problem.variants.front().layers)
      if (layer.costs.front()) time += layer.costs.front()->time.bound;
    result.request.deadline = time * (index % 4 == 0 ? 12 : 6) / 10;
  }
  add_tilings(problem, {std::begin(PublishedGrids), std::end(PublishedGrids)});
  return result;
}

void expect_same_totals(const Problem& problem, const SharedPlan& plan, const Evaluation& cost) {
  const Execution execution = execute(problem, plan);
  EXPECT_EQ(execution.latency, cost.latency);
  EXPECT_EQ(execution.energy, cost.energy);
  EXPECT_EQ(execution.loads, cost.loads);
  EXPECT_EQ(execution.bottleneck, cost.bottleneck);
  EXPECT_EQ(execution.bound, cost.bound);
}

void check_objective(const Scenario& scenario, const PreparedProblem& prepared, const Request& request,
                     ScenarioTotals& totals) {
  constexpr std::size_t MostLabels = 5000;
  std::int64_t best = Impossible;
  try {
    const SharedPlan plan = prepared.solve(request, {.labels = MostLabels});
    const Evaluation cost = evaluate(scenario.problem, plan);
    best = value(scenario.problem, request, cost);
    expect_same_totals(scenario.problem, plan, cost);
    const Certificate& certificate = plan.certificate.front();
    ++totals.solved;
    totals.proven += certificate.proven() ? 1 : 0;
    totals.largest_gap = std::max(
        totals.largest_gap, 1 - static_cast<double>(certificate.lower_bound) / static_cast<double>(certificate.value));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported) << error.what();
  }
  bool equalled = false;
  for (const Planner& planner : planners()) {
    if (planner.name == "ours") continue;
    SCOPED_TRACE(planner.name);
    try {
      const SharedPlan plan = planner.plan(scenario.problem, request);
      const Evaluation cost = evaluate(scenario.problem, plan);
      ++totals.plans;
      const std::int64_t theirs = value(scenario.problem, request, cost);
      EXPECT_LE(best, theirs);
      equalled = equalled || (theirs == best && best < Impossible);
      if (!cost.feasible) continue;
      ++totals.executed;
      expect_same_totals(scenario.problem, plan, cost);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unsupported) << error.what();
    }
  }
  totals.best += equalled ? 1 : 0;
}

}  // namespace

std::vector<Scenario> scenarios(const ScenarioSet& set) {
  constexpr int PerNetwork = static_cast<int>(std::size(BitsPerSecond) * std::size(Servers));
  std::vector<Scenario> result;
  for (const std::string& network : set.networks) {
    const Base base = base_network(network, set.array);
    for (int index = 0; index < PerNetwork; index += set.every) result.push_back(scenario(network, base, index));
  }
  return result;
}

ScenarioTotals check_scenarios(const std::vector<Scenario>& set) {
  ScenarioTotals totals;
  for (const Scenario& scenario : set) {
    SCOPED_TRACE(scenario.name);
    ++totals.scenarios;
    const PreparedProblem prepared(scenario.problem);
    for (const Objective objective : {Objective::Latency, Objective::Energy, Objective::Throughput}) {
      SCOPED_TRACE(to_string(objective));
      check_objective(scenario, prepared, {objective, scenario.request.deadline}, totals);
    }
  }
  return totals;
}

}  // namespace espalier::plan

// Properties, on random problems with replayable seeds:
//   - ours equals brute force over exits, placements on three devices, variants and tilings, with and without a
//   deadline
//   - the checker accepts every certificate and refuses one that claims more than is true
//   - ours is never worse than any published planner; a problem and a plan survive JSON
//   - a change of link or load on a prepared problem gives what a new problem gives
//   - after such changes throughput equals brute force, from plans kept before them, and so does its certificate
//   - kept plans change no answer; halves close what multipliers leave open in networks too large for brute force
//   - plans change only where the gain pays for it
#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "plan/cost/problem_json.hpp"
#include "plan/cost/tiles.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan/search/check.hpp"
#include "plan/search/hysteresis.hpp"
#include "plan/search/solve.hpp"
#include "random_problem.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// All plans: each needed layer on each device, or a tiling that starts there.
void enumerate(const Problem& problem, const Request& request, const std::vector<int>& layers, std::size_t position,
               SharedPlan& plan, std::int64_t& least) {
  if (position == layers.size()) {
    least = std::min(least, value(problem, request, evaluate(problem, plan)));
    return;
  }
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device) {
    plan.steps.push_back({layers[position], layers[position], device, {}});
    enumerate(problem, request, layers, position + 1, plan, least);
    plan.steps.pop_back();
    for (const Tiling& tiling : problem.tilings) {
      const std::size_t length = at(tiling.last - tiling.first + 1);
      if (tiling.first != layers[position] || position + length > layers.size()) continue;
      plan.steps.push_back({tiling.first, tiling.last, device, tiling.tiles});
      enumerate(problem, request, layers, position + length, plan, least);
      plan.steps.pop_back();
    }
  }
}

std::int64_t brute_force(const Problem& problem, const Request& request) {
  std::int64_t least = Impossible;
  for (SharedPlan plan; plan.policy < static_cast<int>(problem.policies.size()); ++plan.policy)
    for (plan.variant = 0; plan.variant < static_cast<int>(problem.variants.size()); ++plan.variant)
      enumerate(problem, request, needed_layers(problem, plan.policy), 0, plan, least);
  return least;
}

struct Instance {
  Problem problem;
  Request request;
};

Instance random_instance(test::Random& random) {
  Instance instance;
  const bool windows = random.chance(0.3);
  instance.problem = random_problem(random, {.layers = windows ? 3 : random.between(2, 5),
                                             .devices = 3,
                                             .variants = random.between(1, 2),
                                             .early_exits = random.chance(0.5),
                                             .windows = windows});
  if (windows) {
    instance.problem.tilings.push_back({0, 1, row_tiles(12, 12, {0, 1, 2}, {1, 1, 1})});
    instance.problem.tilings.push_back({1, 1, grid_tiles(12, 12, 2, 2, {0, 2})});
  }
  instance.problem.accuracy_floor = random.between(4000, 8000);
  if (random.chance(0.2)) instance.problem.devices[1].memory = random.between(50, 200);
  instance.request.objective = static_cast<Objective>(random.between(0, 2));
  if (random.chance(0.7)) instance.request.deadline = random.between(20, 600) * 1000;
  return instance;
}

TEST(Ours, EqualsBruteForceAndItsCertificateHolds) {
  for (std::uint64_t index = 0; index < 1000; ++index) {
    test::Random random(index);
    const auto [problem, request] = random_instance(random);
    const std::int64_t least = brute_force(problem, request);
    if (least >= Impossible) {
      ASSERT_THROW(PreparedProblem(problem).solve(request), Error);
      continue;
    }
    SharedPlan plan = PreparedProblem(problem).solve(request);
    ASSERT_EQ(value(problem, request, evaluate(problem, plan)), least);
    ASSERT_TRUE(plan.certificate.front().proven());
    const CheckResult result = check(problem, request, plan);
    ASSERT_TRUE(result.valid) << result.reason;
    ASSERT_EQ(result.lower_bound, least);
    for (Certificate::Case& one : plan.certificate.front().cases) ++one.lower_bound;
    ++plan.certificate.front().lower_bound;
    ASSERT_FALSE(check(problem, request, plan).valid);
  }
}

TEST(Ours, IsNeverWorseThanAPublishedPlanner) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    Problem problem = random_problem(random, {.layers = 5, .devices = 3, .variants = 2, .windows = index % 2 == 0});
    problem.variants[1].isolated_tiles = true;
    for (const Objective objective : {Objective::Latency, Objective::Energy, Objective::Throughput}) {
      const Request request{objective, std::nullopt};
      problem.tilings.clear();
      add_tilings(problem, {2, 3, 4, 5, 8});
      const std::int64_t best = value(problem, request, evaluate(problem, run_planner("ours", problem, request)));
      for (const Planner& planner : planners()) {
        try {
          ASSERT_LE(best, value(problem, request, evaluate(problem, planner.plan(problem, request)))) << planner.name;
        } catch (const Error& error) {
          ASSERT_EQ(error.code(), ErrorCode::Unsupported);
        }
      }
    }
  }
}

TEST(Ours, ReplansAsANewProblemPlans) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    auto [problem, request] = random_instance(random);
    request.deadline.reset();
    PreparedProblem prepared(problem);
    problem.links[0].bytes_per_second = random.between(0, 100) * 10000;
    prepared.set_link(0, problem.links[0].bytes_per_second, problem.links[0].latency);
    problem.devices[2].load = random.between(1, 9) * Whole;
    prepared.set_load(2, problem.devices[2].load);
    try {
      const SharedPlan again = prepared.solve(request);
      ASSERT_EQ(again.certificate.front().value, PreparedProblem(problem).solve(request).certificate.front().value);
    } catch (const Error&) {
      ASSERT_THROW(PreparedProblem(problem).solve(request), Error);
    }
  }
}

// Links, loads and deadlines change several times after plans were kept.
TEST(Ours, ReplansThroughputAsBruteForceSays) {
  int planned = 0;
  for (std::uint64_t index = 0; index < 600; ++index) {
    test::Random random(index);
    auto [problem, request] = random_instance(random);
    request.objective = Objective::Throughput;
    PreparedProblem prepared(problem);
    try {
      prepared.keep(request, prepared.solve(request));
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::Unsupported);
    }
    for (int change = 0; change < 4; ++change) {
      const int link = random.between(0, static_cast<int>(problem.links.size()) - 1);
      problem.links[at(link)].bytes_per_second = random.between(0, 200) * 100000;
      problem.links[at(link)].latency = random.between(0, 20) * 1000;
      prepared.set_link(link, problem.links[at(link)].bytes_per_second, problem.links[at(link)].latency);
      const int device = random.between(0, 2);
      problem.devices[at(device)].load = random.between(10000, 60000);
      prepared.set_load(device, problem.devices[at(device)].load);
      if (random.chance(0.5)) request.deadline = random.between(20, 900) * 1000;
      const std::int64_t least = brute_force(problem, request);
      if (least >= Impossible) {
        ASSERT_THROW(prepared.solve(request), Error);
        continue;
      }
      SharedPlan plan = prepared.solve(request);
      ++planned;
      ASSERT_EQ(value(problem, request, evaluate(problem, plan)), least);
      ASSERT_TRUE(plan.certificate.front().proven());
      const CheckResult result = check(problem, request, plan);
      ASSERT_TRUE(result.valid) << result.reason;
      ASSERT_EQ(result.lower_bound, least);
      for (Certificate::Case& one : plan.certificate.front().cases) ++one.lower_bound;
      ++plan.certificate.front().lower_bound;
      ASSERT_FALSE(check(problem, request, plan).valid);
    }
  }
  EXPECT_GE(planned, 1000);
}

// A chain whose layers take times on two devices that fit together in very many ways: the best plan is at the bound of
// the multipliers, rounded up to whole nanoseconds, and only a search finds it.
TEST(Ours, ClosesThroughputOfALongChain) {
  for (std::uint64_t index = 0; index < 20; ++index) {
    test::Random random(index);
    Problem problem = random_problem(random, {.layers = 30, .devices = 2, .branches = false});
    problem.accuracy_floor = 0;
    for (Link& link : problem.links) link = {link.from, link.to, 1'000'000'000, 100, 0, 0};
    for (LayerVariant& layer : problem.variants[0].layers) {
      const std::int64_t time = random.between(50'000, 150'000);
      layer.costs[0] = Cost{{time, time, TimeSource::Exact}, 0};
      layer.costs[1] = Cost{{3 * time, 3 * time, TimeSource::Exact}, 0};
    }
    problem.devices[0].load = problem.devices[1].load = Whole;
    const Request request{Objective::Throughput, std::nullopt};
    PreparedProblem prepared(problem);
    const SharedPlan plan = prepared.solve(request);
    ASSERT_TRUE(plan.certificate.front().proven());
    constexpr std::size_t Few = 1000;  // labels: the multipliers alone show the bound
    const CheckResult result = check(problem, request, plan, Few);
    ASSERT_TRUE(result.valid) << result.reason;
    prepared.keep(request, plan);
    const SharedPlan again = prepared.solve(request, {.labels = 0});
    ASSERT_TRUE(again.certificate.front().proven());
    ASSERT_EQ(again.certificate.front().value, plan.certificate.front().value);
    SharedPlan wrong = plan;
    for (Certificate::Case& one : wrong.certificate.front().cases) one.lower_bound += Whole;
    wrong.certificate.front().lower_bound += Whole;
    ASSERT_FALSE(check(problem, request, wrong, Few).valid);
  }
}

TEST(ProblemJson, KeepsEverythingAndRefusesTheRest) {
  for (std::uint64_t index = 0; index < 100; ++index) {
    test::Random random(index);
    const auto [problem, request] = random_instance(random);
    const auto json = to_json(problem);
    ASSERT_EQ(to_json(read_problem(json.dump())), json);
  }
  test::Random random;
  const auto good = to_json(random_problem(random, {}));
  for (const char* key : {"schema", "devices", "layers", "variants", "exits", "policies"}) {
    auto bad = good;
    bad.erase(key);
    EXPECT_THROW(problem_from_json(bad), Error) << key;
    bad[key] = "text";
    EXPECT_THROW(problem_from_json(bad), Error) << key;
  }
  auto bad = good;
  bad["layers"][0]["inputs"] = {5};
  EXPECT_THROW(problem_from_json(bad), Error);
  EXPECT_THROW(read_problem("{"), Error);
}

TEST(Hysteresis, SwitchesOnlyWhereTheGainPays) {
  EXPECT_TRUE(should_switch({100, 90, 50, 1000, 100}));
  EXPECT_FALSE(should_switch({100, 90, 150, 1000, 100}));
  EXPECT_FALSE(should_switch({100, 100, 0, 1000, 100}));
  EXPECT_TRUE(should_switch({Impossible, 90, 1000000, 0, 100}));
  EXPECT_EQ(expected_holding(1000, 1), 500);
}

}  // namespace
}  // namespace espalier::plan

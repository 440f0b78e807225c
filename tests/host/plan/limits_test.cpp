// Properties, on random problems with replayable seeds:
//   - without bandwidth every planner that finds a plan stays at home; with a fast link and a fast server the cutting
//     planners and ours leave it; a loaded server is left alone
//   - Neurosurgeon's energy equals brute force over its cuts; Edgent's cut is the best of its exit
//   - DADS for heavy load is within three times the least busiest stage; DADS and QDMP agree where nothing comes back
//   - AOFL ends in one piece at home without bandwidth, and in a piece per layer on all devices where sending is free
//   - JointDNN keeps deadlines; a faster link never costs ours anything
#include <gtest/gtest.h>

#include <algorithm>

#include "esp_error.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/edgent.hpp"
#include "plan/planners/planner.hpp"
#include "plan/search/solve.hpp"
#include "random_problem.hpp"

namespace espalier::plan {
namespace {

constexpr std::uint64_t Instances = 1000;
std::size_t at(int index) { return static_cast<std::size_t>(index); }

void set_links(Problem& problem, std::int64_t bytes_per_second, Nanoseconds latency) {
  for (Link& link : problem.links) {
    link.bytes_per_second = bytes_per_second;
    link.latency = latency;
    link.serialise_picoseconds = 0;
  }
}

bool all_on(const SharedPlan& plan, int device) {
  return std::all_of(plan.steps.begin(), plan.steps.end(), [&](const PlanStep& step) {
    return step.device == device &&
           std::all_of(step.tiles.begin(), step.tiles.end(), [&](const Tile& tile) { return tile.device == device; });
  });
}

TEST(Limits, WithoutBandwidthPlansStayAtHome) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    Problem problem = random_problem(random, {.layers = 5, .windows = index % 2 == 0});
    set_links(problem, 0, 0);
    for (const Planner& planner : planners()) {
      SCOPED_TRACE(planner.name);
      try {
        const SharedPlan plan = planner.plan(problem, {});
        // Published formulas that leave the answer's return out may still send nothing up.
        if (evaluate(problem, plan).feasible) {
          EXPECT_TRUE(all_on(plan, problem.home));
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unsupported);
      }
    }
  }
}

TEST(Limits, AFreeLinkToAFastServerTakesEverything) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    Problem problem = random_problem(random, {.layers = 5});
    set_links(problem, LargestStep, 0);
    for (Link& link : problem.links) link.energy_picojoules = 0;
    for (LayerVariant& layer : problem.variants[0].layers) layer.costs[1]->time = {5, 5, TimeSource::Reported};
    problem.devices[1].load = Whole;
    for (const char* name : {"neurosurgeon", "edgent", "cogent", "crime", "dads", "qdmp", "jointdnn", "spinn", "ours"})
      EXPECT_TRUE(all_on(run_planner(name, problem, {}), 1)) << name;
    problem.devices[1].load = Whole * Whole;
    for (LayerVariant& layer : problem.variants[0].layers) layer.costs[1] = layer.costs[0];
    for (const char* name : {"neurosurgeon", "edgent", "cogent", "crime", "dads", "qdmp", "jointdnn", "spinn", "ours"})
      EXPECT_TRUE(all_on(run_planner(name, problem, {}), 0)) << name;
  }
}

TEST(Limits, AFasterLinkCostsNothing) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    const Problem problem = random_problem(random, {.layers = 5, .devices = 3, .early_exits = true});
    Problem faster = problem;
    for (Link& link : faster.links) link.bytes_per_second *= 2;
    for (const Objective objective : {Objective::Latency, Objective::Throughput}) {
      const Request request{objective, std::nullopt};
      EXPECT_LE(PreparedProblem(faster).solve(request).certificate.front().value,
                PreparedProblem(problem).solve(request).certificate.front().value);
    }
  }
}

TEST(Neurosurgeon, EqualsBruteForceOverCutsInEnergy) {
  for (std::uint64_t index = 0; index < Instances; ++index) {
    test::Random random(index);
    const Problem problem = random_problem(random, {.layers = 6, .branches = false});
    const auto device_energy = [&](int cut) {  // the paper's sum, written out
      Nanojoules sum = cut == 6 ? 0 : transfer(problem, 0, 1, tensor_bytes(problem, 0, cut - 1)).energy;
      for (int layer = 0; layer < cut; ++layer) sum += problem.variants[0].layers[at(layer)].costs[0]->energy;
      return sum;
    };
    Nanojoules least = device_energy(0);
    for (int cut = 1; cut <= 6; ++cut) least = std::min(least, device_energy(cut));
    const SharedPlan plan = neurosurgeon(problem, {Objective::Energy, std::nullopt});
    const auto cut =
        std::count_if(plan.steps.begin(), plan.steps.end(), [](const PlanStep& step) { return step.device == 0; });
    ASSERT_EQ(device_energy(static_cast<int>(cut)), least);
  }
}

TEST(Edgent, CutsItsExitWhereItIsFastest) {
  for (std::uint64_t index = 0; index < Instances; ++index) {
    test::Random random(index);
    const Problem problem = random_problem(random, {.layers = 6, .branches = false, .early_exits = true});
    const std::optional<SharedPlan> plan = edgent_static(problem, {}, Direction::RemoteFirst);
    ASSERT_TRUE(plan);
    const int count = problem.exits[at(problem.policies[at(plan->policy)].leaves[0].exit)].layer + 1;
    const auto estimate = [&](int cut) {  // Algorithm 1's sum: the first part at the server
      Nanoseconds sum = cut == 0 ? 0 : transfer(problem, 0, 1, problem.variants[0].input_bytes).mean;
      if (cut > 0 && cut < count) sum += transfer(problem, 1, 0, tensor_bytes(problem, 0, cut - 1)).mean;
      for (int layer = 0; layer < count; ++layer) sum += layer_cost(problem, 0, layer, layer < cut ? 1 : 0).mean;
      return sum;
    };
    Nanoseconds least = estimate(0);
    for (int cut = 1; cut <= count; ++cut) least = std::min(least, estimate(cut));
    const auto cut =
        std::count_if(plan->steps.begin(), plan->steps.end(), [](const PlanStep& step) { return step.device == 1; });
    ASSERT_EQ(estimate(static_cast<int>(cut)), least);
  }
}

TEST(Dads, HeavyLoadIsWithinThreeTimesTheLeastBusiestStage) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    const Problem problem = random_problem(random, {.layers = 7});
    const std::vector<int> layers = needed_layers(problem, 0);
    std::int64_t least = Impossible;
    for (unsigned mask = 0; mask < 1U << layers.size(); ++mask) {
      std::vector<int> devices;
      for (std::size_t layer = 0; layer < layers.size(); ++layer)
        devices.push_back(static_cast<int>(mask >> layer & 1U));
      least = std::min(least, evaluate(problem, placed(problem, 0, 0, devices)).bottleneck);
    }
    ASSERT_LE(evaluate(problem, dads_heavy(problem, {Objective::Throughput, std::nullopt})).bottleneck, 3 * least);
  }
}

TEST(DadsAndQdmp, AgreeWhereNothingComesBack) {
  for (std::uint64_t index = 0; index < Instances; ++index) {
    test::Random random(index);
    Problem problem = random_problem(random, {.layers = 8});
    // A server that is faster everywhere: sending a tensor back before the end never pays.
    problem.devices[0].load = problem.devices[1].load = Whole;
    for (LayerVariant& layer : problem.variants[0].layers) layer.costs[1]->time.mean = layer.costs[0]->time.mean / 4;
    const std::int64_t forward = evaluate(problem, qdmp(problem, {})).latency;
    ASSERT_LE(evaluate(problem, dads(problem, {})).latency, forward);
    bool back = false;
    const SharedPlan plan = dads(problem, {});
    for (std::size_t step = 1; step < plan.steps.size(); ++step)
      back = back || (plan.steps[step].device == 0 && plan.steps[step - 1].device == 1);
    if (!back) {
      ASSERT_EQ(evaluate(problem, plan).latency, forward);
    }
  }
}

TEST(Aofl, HasItsTwoEnds) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    test::Random random(index);
    Problem problem = random_problem(random, {.layers = 4, .devices = 3, .windows = true});
    for (LayerVariant& layer : problem.variants[0].layers)
      layer.costs[1] = layer.costs[2] = layer.costs[0] = Cost{{120'000, 120'000, TimeSource::Exact}, 0};
    for (Device& device : problem.devices) device.load = Whole;
    for (Layer& layer : problem.layers) layer.window = Window{12, 12, 3, 1, 1};
    set_links(problem, 1, 0);
    EXPECT_TRUE(all_on(aofl(problem, {}), 0));
    set_links(problem, LargestStep, 0);
    const SharedPlan plan = aofl(problem, {});
    ASSERT_EQ(plan.steps.size(), problem.layers.size());
    for (const PlanStep& step : plan.steps) EXPECT_EQ(step.tiles.size(), 3U);
  }
}

TEST(JointDnn, KeepsDeadlines) {
  for (std::uint64_t index = 0; index < Instances; ++index) {
    test::Random random(index);
    const Problem problem = random_problem(random, {.layers = 6});
    const Request request{Objective::Energy, random.between(50, 500) * 1000};
    try {
      const Evaluation cost = evaluate(problem, jointdnn(problem, request));
      ASSERT_LE(cost.bound, *request.deadline);
      ASSERT_GE(cost.energy, PreparedProblem(problem).solve(request).certificate.front().value);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::Unsupported);
    }
  }
}

}  // namespace
}  // namespace espalier::plan

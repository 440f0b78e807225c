// Properties, on random problems with replayable seeds:
//   - executing a plan in virtual time gives the totals of evaluate(): latency, energy, bound and the load of
//   everything
//   - every action is begun once, and a device or link does one thing at a time
//   - many samples in flight keep every resource as busy as the loads say, and end no sooner than the busiest allows
//   - a plan that evaluate() refuses is refused
#include <gtest/gtest.h>

#include <numeric>

#include "esp_error.hpp"
#include "plan/planners/planner.hpp"
#include "plan/simulate/simulate.hpp"
#include "random_problem.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

Problem instance(test::Random& random, std::uint64_t index) {
  Problem problem = random_problem(random, {.layers = random.between(2, 7),
                                            .devices = random.between(2, 3),
                                            .variants = 2,
                                            .early_exits = index % 2 == 0,
                                            .windows = index % 3 == 0});
  problem.variants[1].isolated_tiles = index % 5 == 0;
  add_tilings(problem, {2, 3});
  const int last = static_cast<int>(problem.layers.size()) - 1;
  for (int first = 0; first < last; ++first)
    if (random.chance(0.5))
      problem.groups.push_back({first, random.between(first, last), random.between(0, 1), 0, random_cost(random)});
  return problem;
}

/// What a check says of every plan that some planner finds for the problem.
template <typename Check>
void with_plans(const Problem& problem, const Check& check) {
  for (const Objective objective : {Objective::Latency, Objective::Throughput})
    for (const Planner& planner : planners()) {
      SCOPED_TRACE(planner.name);
      try {
        const SharedPlan plan = planner.plan(problem, {objective, std::nullopt});
        if (evaluate(problem, plan).feasible) check(plan);
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ErrorCode::Unsupported) << error.what();
      }
    }
}

TEST(Execute, HasTheTotalsOfTheEvaluation) {
  for (std::uint64_t index = 0; index < 150; ++index) {
    test::Random random(index);
    const Problem problem = instance(random, index);
    with_plans(problem, [&](const SharedPlan& plan) {
      const Evaluation cost = evaluate(problem, plan);
      const Execution execution = execute(problem, plan);
      ASSERT_EQ(execution.latency, cost.latency);
      ASSERT_EQ(execution.energy, cost.energy);
      ASSERT_EQ(execution.loads, cost.loads);
      ASSERT_EQ(execution.bottleneck, cost.bottleneck);
      ASSERT_EQ(execution.bound, cost.bound);
    });
  }
}

TEST(Execute, BeginsEveryActionOnce) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    test::Random random(index);
    const Problem problem = instance(random, index);
    with_plans(problem, [&](const SharedPlan& plan) {
      for (const std::vector<Done>& trace : execute(problem, plan).traces)
        for (std::size_t one = 0; one < trace.size(); ++one)
          for (std::size_t other = 0; other < one; ++other) {
            ASSERT_FALSE(trace[one].action == trace[other].action);
            const bool send = trace[one].action.from != trace[one].action.to;
            if (send != (trace[other].action.from != trace[other].action.to) ||
                trace[one].action.to != trace[other].action.to || trace[one].action.from != trace[other].action.from)
              continue;
            ASSERT_TRUE(trace[one].begin >= trace[other].end || trace[other].begin >= trace[one].end);
          }
    });
  }
}

TEST(ExecuteStream, KeepsEverythingAsBusyAsTheLoadsSay) {
  constexpr int Samples = 20;
  for (std::uint64_t index = 0; index < 50; ++index) {
    test::Random random(index);
    Problem problem = instance(random, index);
    // Half of the samples leave at each of two exits, so that whole samples have the policy's shares.
    for (Policy& policy : problem.policies)
      if (policy.leaves.size() == 2) policy.leaves[0].share = policy.leaves[1].share = Whole / 2;
    with_plans(problem, [&](const SharedPlan& plan) {
      const int leaves = static_cast<int>(problem.policies[at(plan.policy)].leaves.size());
      std::vector<int> where;
      for (int sample = 0; sample < Samples; ++sample) where.push_back(sample % leaves);
      const Stream stream = execute_stream(problem, plan, where, std::vector<Nanoseconds>(Samples, 0));
      const Evaluation cost = evaluate(problem, plan);
      for (std::size_t resource = 0; resource < stream.busy.size(); ++resource)
        ASSERT_EQ(stream.busy[resource] * Whole, cost.loads[resource] * Samples);
      ASSERT_GE(stream.end * Whole, cost.bottleneck * Samples);
      ASSERT_LE(stream.end * Whole, cost.latency * Samples);
    });
  }
}

TEST(Execute, RefusesWhatCannotBeExecuted) {
  test::Random random(1);
  const Problem problem = random_problem(random, {});
  EXPECT_THROW(execute(problem, SharedPlan{}), Error);
}

}  // namespace
}  // namespace espalier::plan

// Properties:
//   - on scenarios of small networks ours is never worse than another planner's valid plan, for each objective
//   - all their plans executed in virtual time have the totals of the evaluation
//   - the problem of a network: exact times of its compiled programs, groups that cost them
#include <gtest/gtest.h>

#include "compile/compile.hpp"
#include "esp_error.hpp"
#include "plan/network/network_part.hpp"
#include "plan/network/network_problem.hpp"
#include "scenarios.hpp"
#include "zoo/zoo.hpp"

namespace espalier::plan {
namespace {

TEST(Scenarios, OursIsNeverWorseAndExecutionAgrees) {
  const ScenarioTotals totals = check_scenarios(scenarios({{"resnet8", "ds_cnn"}, abi::Array8x8, 8}));
  EXPECT_EQ(totals.scenarios, 8);
  EXPECT_GT(totals.executed, 8 * 3 * 10);
}

TEST(NetworkProblem, HasTheTimesOfCompiledPrograms) {
  const model::Network network = zoo::build("resnet8", {});
  const int count = static_cast<int>(network.layers.size());
  const NetworkTimes times = network_times(network, abi::Array8x8, {});
  const Problem problem =
      network_problem(network, {{"int8", Whole, times, 100}}, {.clock_megahertz = 1000, .server = 4});
  ASSERT_EQ(problem.layers.size(), network.layers.size());
  for (const Group& group : problem.groups) {
    const compile::Compiled part = compile::compile(network_part(network, group.first, group.last), abi::Array8x8);
    EXPECT_EQ(group.cost.time.mean, part.total_cycles);
    EXPECT_EQ(group.cost.time.source, TimeSource::Exact);
  }
  EXPECT_EQ(problem.groups.front().last, count - 1);
  for (int layer = 0; layer < count; ++layer) {
    const auto& costs = problem.variants[0].layers[static_cast<std::size_t>(layer)].costs;
    EXPECT_EQ(costs[0]->time.mean, compile::compile(network_part(network, layer, layer), abi::Array8x8).total_cycles);
    EXPECT_NEAR(static_cast<double>(costs[2]->time.mean) * 40, static_cast<double>(costs[1]->time.mean), 40);
  }
  EXPECT_THROW(network_problem(network, {{"int8", Whole, times, 100}}, {.server = -1}), Error);
}

}  // namespace
}  // namespace espalier::plan

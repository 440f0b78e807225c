// The common set: at least 200 scenarios, all planners, all objectives; prints what was seen.
#include <gtest/gtest.h>

#include <cstdio>

#include "scenarios.hpp"

namespace espalier::plan {
namespace {

TEST(ScenariosProof, OursIsNeverWorseAndExecutionAgrees) {
  ScenarioTotals sum;
  for (const char* network : {"resnet8", "ds_cnn", "mobilenet_v1", "mobilenet_v2", "resnet18", "resnet50", "vgg16"}) {
    const ScenarioTotals totals = check_scenarios(scenarios({{network}, abi::Array16x16, 1}));
    std::printf("%-12s  %d scenarios, %d plans, %d executed; ours proven optimal in %d of %d, largest gap %.2f %%\n",
                network, totals.scenarios, totals.plans, totals.executed, totals.proven, totals.solved,
                100 * totals.largest_gap);
    std::fflush(stdout);
    sum.scenarios += totals.scenarios;
    sum.best += totals.best;
    sum.solved += totals.solved;
  }
  std::printf("%d scenarios; in %d of %d another planner was as good\n", sum.scenarios, sum.best, sum.solved);
  EXPECT_GE(sum.scenarios, 200);
}

}  // namespace
}  // namespace espalier::plan

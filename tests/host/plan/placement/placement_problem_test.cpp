// Placing as a problem of numbers:
// - with fixed groups, the minimum cut costs what brute force over all placements finds, and its placement costs that;
// - with chosen groups, the search costs what brute force over all placements and all groupings finds;
// - neither is worse than all layers on the host, or than the greedy placement;
// - a group that would wait for itself is never chosen; refused layers and groups are not used.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "plan/placement/placement_problem.hpp"
#include "random.hpp"

namespace espalier::test {
namespace {

using namespace plan;

constexpr int Graphs = 1000;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// A random graph with branches, joins and several outputs; some layers are refused by one side.
PlacementProblem random_problem(Random& random, int layers) {
  PlacementProblem problem;
  const int inputs = random.between(1, 2);
  for (int i = 0; i < inputs; ++i)
    problem.tensors.push_back({-1, {}, false, random.between(0, 9), random.between(0, 9)});
  for (int layer = 0; layer < layers; ++layer) {
    problem.host.push_back(random.between(0, 12));
    problem.accelerator.push_back(random.chance(0.1) ? Impossible : random.between(0, 12));
    if (problem.accelerator.back() < Impossible && random.chance(0.05)) problem.host.back() = Impossible;
    const int sources = random.between(1, 3);
    for (int i = 0; i < sources; ++i) {
      const int last = static_cast<int>(problem.tensors.size()) - 1;
      std::vector<int>& readers = problem.tensors[at(random.between(std::max(0, last - 3), last))].readers;
      if (std::find(readers.begin(), readers.end(), layer) == readers.end()) readers.push_back(layer);
    }
    problem.tensors.push_back({layer, {}, random.chance(0.15), random.between(0, 9), random.between(0, 9)});
  }
  for (PlacedTensor& tensor : problem.tensors)
    if (tensor.maker >= 0 && tensor.readers.empty()) tensor.answer = true;
  return problem;
}

/// All placements.
Nanoseconds brute_fixed(const PlacementProblem& problem) {
  Nanoseconds best = Impossible;
  for (int bits = 0; bits < 1 << problem.layers(); ++bits) {
    std::vector<bool> there;
    for (int layer = 0; layer < problem.layers(); ++layer) there.push_back((bits >> layer & 1) != 0);
    best = std::min(best, fixed_cost(problem, there));
  }
  return best;
}

/// Whether blocks can run one after the other: block_of per layer.
bool can_run(const PlacementProblem& problem, const std::vector<int>& block_of, int blocks) {
  std::vector<std::vector<bool>> before(at(blocks), std::vector<bool>(at(blocks), false));
  for (const PlacedTensor& tensor : problem.tensors)
    for (const int reader : tensor.readers)
      if (tensor.maker >= 0 && block_of[at(tensor.maker)] != block_of[at(reader)])
        before[at(block_of[at(tensor.maker)])][at(block_of[at(reader)])] = true;
  for (int k = 0; k < blocks; ++k)
    for (int i = 0; i < blocks; ++i)
      for (int j = 0; j < blocks; ++j)
        if (before[at(i)][at(k)] && before[at(k)][at(j)]) before[at(i)][at(j)] = true;
  for (int i = 0; i < blocks; ++i)
    if (before[at(i)][at(i)]) return false;
  return true;
}

/// All set partitions of the layers; a block is a candidate group, or one layer on the host.
Nanoseconds brute_grouped(const PlacementProblem& problem, const std::vector<GroupCandidate>& candidates) {
  Nanoseconds best = Impossible;
  std::vector<int> block_of(problem.host.size(), -1);
  const std::function<void(int, Nanoseconds)> extend = [&](int blocks, Nanoseconds cost) {
    const auto open = std::find(block_of.begin(), block_of.end(), -1);
    if (open == block_of.end()) {
      if (cost < best && can_run(problem, block_of, blocks)) best = cost;
      return;
    }
    const int layer = static_cast<int>(open - block_of.begin());
    *open = blocks;
    extend(blocks + 1, add(cost, problem.host[at(layer)]));
    *open = -1;
    for (const GroupCandidate& group : candidates) {
      if (group.layers.front() != layer) continue;
      if (!std::all_of(group.layers.begin(), group.layers.end(), [&](int l) { return block_of[at(l)] < 0; })) continue;
      for (const int member : group.layers) block_of[at(member)] = blocks;
      extend(blocks + 1, add(cost, block_cost(problem, group)));
      for (const int member : group.layers) block_of[at(member)] = -1;
    }
  };
  extend(0, 0);
  return best;
}

/// Every set of layers is a group, unless it is refused; a group costs at most what its layers cost alone.
std::vector<GroupCandidate> random_groups(Random& random, const PlacementProblem& problem) {
  std::vector<GroupCandidate> groups;
  for (int bits = 1; bits < 1 << problem.layers(); ++bits) {
    GroupCandidate group;
    for (int layer = 0; layer < problem.layers(); ++layer) {
      if ((bits >> layer & 1) == 0) continue;
      group.layers.push_back(layer);
      group.cost = add(group.cost, problem.accelerator[at(layer)]);
    }
    if (group.cost < Impossible)
      group.cost = 3 + static_cast<Nanoseconds>(random.unit() * static_cast<double>(group.cost));
    if (random.chance(0.1)) group.cost = Impossible;
    groups.push_back(std::move(group));
  }
  return groups;
}

TEST(FixedGroups, CostsWhatBruteForceFinds) {
  for (int index = 0; index < Graphs; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const PlacementProblem problem = random_problem(random, random.between(1, 9));
    const FixedPlan plan = best_fixed(problem);
    ASSERT_EQ(plan.cost, brute_fixed(problem));
    if (plan.cost >= Impossible) continue;
    ASSERT_EQ(fixed_cost(problem, plan.on_accelerator), plan.cost);
    ASSERT_LE(plan.cost, greedy_fixed(problem).cost);
    ASSERT_LE(plan.cost, fixed_cost(problem, std::vector<bool>(problem.host.size(), false)));
  }
}

TEST(ChosenGroups, CostsWhatBruteForceOverGroupingsFinds) {
  for (int index = 0; index < Graphs; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const PlacementProblem problem = random_problem(random, random.between(1, 6));
    const std::vector<GroupCandidate> groups = random_groups(random, problem);
    const GroupedPlan plan = best_grouped(problem, groups);
    ASSERT_TRUE(plan.complete);
    ASSERT_EQ(plan.cost, brute_grouped(problem, groups));
    if (plan.cost >= Impossible) continue;
    Nanoseconds cost = 0;
    std::vector<int> block_of(problem.host.size(), -1);
    int blocks = 0;
    for (const PlacedBlock& block : plan.blocks) {
      for (const int layer : block.layers) block_of[at(layer)] = blocks;
      ++blocks;
      cost += block.group < 0 ? problem.host[at(block.layers[0])] : block_cost(problem, groups[at(block.group)]);
    }
    ASSERT_EQ(cost, plan.cost);
    ASSERT_EQ(std::count(block_of.begin(), block_of.end(), -1), 0);
    ASSERT_TRUE(can_run(problem, block_of, blocks));
  }
}

TEST(ChosenGroups, AGroupThatWouldWaitForItselfIsNotChosen) {
  // Layer 1 is refused by the accelerator and lies between 0 and 2.
  PlacementProblem problem{
      {100, 1, 100},
      {1, Impossible, 1},
      {{-1, {0}, false, 1, 1}, {0, {1, 2}, false, 1, 1}, {1, {2}, false, 1, 1}, {2, {}, true, 1, 1}}};
  const std::vector<GroupCandidate> groups{{{0, 2}, 1, true}, {{0}, 5, true}, {{2}, 5, true}};
  const GroupedPlan plan = best_grouped(problem, groups);
  EXPECT_EQ(plan.blocks.size(), 3U);
  EXPECT_EQ(plan.cost, 5 + 1 + 5 + 5);  // input up, 0 down, 0 and 1 up for layer 2, answer down
}

TEST(ChosenGroups, StopsAtTheBoundOfStatesAndSaysSo) {
  Random random;
  const PlacementProblem problem = random_problem(random, 12);
  EXPECT_FALSE(best_grouped(problem, {}, 1).complete && best_grouped(problem, {}, 1).cost < Impossible);
}

}  // namespace
}  // namespace espalier::test

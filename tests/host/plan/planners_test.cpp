// Properties, on random problems with replayable seeds:
//   - Neurosurgeon equals brute force over its cuts; more bandwidth never costs time; a loaded server is avoided
//   - Edgent takes the deepest feasible exit of brute force, in the published direction, and none if none fits
//   - its map is consulted only at change points
//   - DADS with returns charged equals brute force over all placements; QDMP equals the minimum cut without a way back
//   - JointDNN equals enumeration of all groupings and sides; AOFL equals all groupings
//   - DeepThings on YOLOv2's first 16 layers gives the published traffic and work; MoDNN's shares sum to the height
//   - CRIME's break-even moves with the bandwidth; the entropy rule's ends and its agreement with floating point
//   - stealing hands out every tile once
#include <gtest/gtest.h>

#include <cmath>

#include "esp_error.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/edgent.hpp"
#include "plan/planners/exit_rule.hpp"
#include "plan/planners/jointdnn.hpp"
#include "plan/planners/placement_cut.hpp"
#include "plan/planners/spatial.hpp"
#include "plan/planners/steal.hpp"
#include "random_problem.hpp"

namespace espalier::plan {
namespace {

constexpr std::uint64_t Instances = 1000;
std::size_t at(int index) { return static_cast<std::size_t>(index); }

TEST(Neurosurgeon, EqualsBruteForceOverCuts) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    const Problem problem = random_problem(random, {.layers = 6, .branches = false});
    std::int64_t least = Impossible;
    for (int cut = 0; cut <= 6; ++cut) {  // the paper's sum, written out
      Nanoseconds sum = cut == 6 ? 0 : transfer(problem, 0, 1, tensor_bytes(problem, 0, cut - 1)).mean;
      for (int layer = 0; layer < 6; ++layer) sum += layer_cost(problem, 0, layer, layer < cut ? 0 : 1).mean;
      least = std::min(least, sum * Whole);
    }
    const SharedPlan plan = neurosurgeon(problem, {});
    ASSERT_EQ(evaluate(problem, plan, Returns::Free).latency, least);
    Problem faster = problem;
    for (Link& link : faster.links) link.bytes_per_second *= 2;
    ASSERT_LE(evaluate(faster, neurosurgeon(faster, {}), Returns::Free).latency, least);
    Problem loaded_server = problem;
    loaded_server.devices[1].load = Whole * Whole;
    for (const PlanStep& step : neurosurgeon(loaded_server, {}).steps) ASSERT_EQ(step.device, 0);
  }
}

TEST(Edgent, TakesTheDeepestFeasibleExit) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    const Problem problem = random_problem(random, {.layers = 6, .branches = false, .early_exits = true});
    const Nanoseconds deadline = random.between(10, 500) * 1000;
    int deepest = -1;
    for (int exit = 1; exit >= 0 && deepest < 0; --exit) {
      const int count = problem.exits[at(exit)].layer + 1;
      for (int cut = 0; cut <= count; ++cut) {
        Nanoseconds sum = cut == 0 ? 0 : transfer(problem, 0, 1, problem.variants[0].input_bytes).mean;
        if (cut > 0 && cut < count) sum += transfer(problem, 1, 0, tensor_bytes(problem, 0, cut - 1)).mean;
        for (int layer = 0; layer < count; ++layer) sum += layer_cost(problem, 0, layer, layer < cut ? 1 : 0).mean;
        if (sum <= deadline) deepest = exit;
      }
    }
    const std::optional<SharedPlan> plan =
        edgent_static(problem, {Objective::Latency, deadline}, Direction::RemoteFirst);
    ASSERT_EQ(plan.has_value(), deepest >= 0);
    if (plan) {
      ASSERT_EQ(problem.policies[at(plan->policy)].leaves[0].exit, deepest);
    }
  }
}

TEST(Edgent, ChangesItsPlanOnlyAtChangePoints) {
  BandwidthState state;
  int changes = 0;
  for (int sample = 0; sample < 60; ++sample) {
    const double level = sample < 30 ? 1e6 : 2e5;
    state = observe(state, level * (sample % 2 == 0 ? 1.1 : 0.9), 0.3, 3);
    changes += state.changed ? 1 : 0;
    if (sample == 29) {
      EXPECT_EQ(changes, 1);
    }
    if (sample == 32) {
      EXPECT_EQ(changes, 2);
    }
  }
  EXPECT_EQ(changes, 2);
}

std::int64_t brute_force_placement(const Problem& problem, Objective objective, bool way_back) {
  const int policy = full_policy(problem);
  const std::vector<int> layers = needed_layers(problem, policy);
  std::int64_t least = Impossible;
  for (unsigned mask = 0; mask < 1U << layers.size(); ++mask) {
    std::vector<int> devices;
    for (std::size_t index = 0; index < layers.size(); ++index) devices.push_back(static_cast<int>(mask >> index & 1U));
    bool back = false;
    for (std::size_t index = 0; index < layers.size(); ++index)
      for (const int input : problem.layers[at(layers[index])].inputs)
        if (input != NetworkInput && devices[index] == 0) {
          const auto maker = std::find(layers.begin(), layers.end(), input) - layers.begin();
          back = back || devices[at(static_cast<int>(maker))] == 1;
        }
    if (back && !way_back) continue;
    const Evaluation cost = evaluate(problem, placed(problem, policy, full_variant(problem), devices));
    if (cost.feasible) least = std::min(least, objective == Objective::Energy ? cost.energy : cost.latency);
  }
  return least;
}

TEST(Dads, EqualsBruteForceWithReturnsCharged) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    const Problem problem = random_problem(random, {.layers = 8});
    const Objective objective = instance % 2 == 0 ? Objective::Latency : Objective::Energy;
    const Evaluation cost = evaluate(problem, dads(problem, {objective, {}}));
    ASSERT_EQ(objective == Objective::Energy ? cost.energy : cost.latency,
              brute_force_placement(problem, objective, true));
  }
}

TEST(Qdmp, EqualsTheMinimumCutWithoutAWayBack) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    const Problem problem = random_problem(random, {.layers = 8});
    const Evaluation cost = evaluate(problem, qdmp(problem, {}));
    const int policy = full_policy(problem);
    const std::optional<PlacementCut> cut =
        placement_cut(problem, Objective::Latency, policy, full_variant(problem), 1, WayBack::Forbidden, {}, 0,
                      static_cast<int>(needed_layers(problem, policy).size()));
    ASSERT_EQ(cost.latency, cut->value);
    ASSERT_EQ(cost.latency, brute_force_placement(problem, Objective::Latency, false));
  }
}

// All sequences of runs that cover the network, each on one of two sides.
void enumerate_groups(const Problem& problem, const std::vector<GroupRun>& runs, int position, const SharedPlan& plan,
                      std::int64_t& least) {
  if (position == runs.back().end) {
    const Evaluation cost = evaluate(problem, plan);
    if (cost.feasible) least = std::min(least, cost.latency);
    return;
  }
  for (const GroupRun& run : runs) {
    if (run.begin != position) continue;
    for (const int device : {0, 1}) {
      SharedPlan next = plan;
      append_run(problem, full_policy(problem), 0, run, device, next);
      enumerate_groups(problem, runs, run.end, next, least);
    }
  }
}

TEST(JointDnn, EqualsEnumerationOfGroups) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    Problem problem = random_problem(random, {.layers = 5, .branches = instance % 2 == 0});
    for (int first = 0; first < 5; ++first)
      for (int last = first + 1; last < 5; ++last)
        if (random.chance(0.5)) {
          Cost cost = random_cost(random);
          cost.time.mean *= last - first;
          cost.time.bound = cost.time.mean;
          problem.groups.push_back({first, last, random.between(0, 1), 0, cost});
        }
    std::int64_t least = Impossible;
    SharedPlan empty;
    empty.policy = full_policy(problem);
    enumerate_groups(problem, group_runs(problem, empty.policy), 0, empty, least);
    ASSERT_EQ(evaluate(problem, jointdnn(problem, {})).latency, least);
  }
}

TEST(Aofl, EqualsAllGroupings) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    const Problem problem = random_problem(random, {.layers = 5, .devices = 3, .windows = true});
    std::int64_t least = Impossible;
    for (unsigned ends = 0; ends < 16; ++ends) {  // bit l: a group ends after layer l
      std::int64_t sum = 0;
      for (int first = 0, last = 0; last < 5; ++last) {
        if (last < 4 && (ends >> last & 1U) == 0) continue;
        std::int64_t cheapest = piece_cost(problem, 0, 0, {first, last, {}});
        for (int count = 2; count <= 3; ++count) {
          std::vector<int> used{0, 1, 2};
          used.resize(at(count));
          cheapest = std::min(
              cheapest, piece_cost(problem, 0, 0,
                                   {first, last, row_tiles(12, 12, used, std::vector<std::int64_t>(at(count), 1))}));
        }
        sum += cheapest;
        first = last + 1;
      }
      least = std::min(least, sum);
    }
    const SharedPlan plan = aofl(problem, {});
    std::int64_t own = 0;
    for (const PlanStep& step : plan.steps) own += piece_cost(problem, 0, 0, {step.first, step.last, step.tiles});
    ASSERT_EQ(own, least);
  }
}

// The first 16 layers of YOLOv2 at 608x608: kernel, stride (pools 2,2), channels.
Problem yolo() {
  const std::vector<std::array<int, 2>> layers{{3, 32},  {0, 32},  {3, 64},  {0, 64},  {3, 128}, {1, 64},
                                               {3, 128}, {0, 128}, {3, 256}, {1, 128}, {3, 256}, {0, 256},
                                               {3, 512}, {1, 256}, {3, 512}, {1, 256}};
  Problem problem;
  problem.devices = {{"home", DeviceKind::Cpu, 0, Whole}};
  problem.input_height = problem.input_width = 608;
  Variant variant{"float32", 608 * 608 * 3 * 4, {}, false};
  int size = 608, channels = 3;
  for (int index = 0; index < static_cast<int>(layers.size()); ++index) {
    const auto [kernel, out] = layers[at(index)];
    if (kernel == 0) size /= 2;
    Layer layer{"layer", {index - 1}, Window{size, size, kernel == 0 ? 2 : kernel, kernel == 0 ? 2 : 1, kernel / 2}, 0};
    layer.macs = kernel == 0 ? 0 : std::int64_t{1} * size * size * out * channels * kernel * kernel;
    channels = out;
    variant.layers.push_back({std::int64_t{4} * size * size * out, 0, {Cost{}}});
    problem.layers.push_back(layer);
  }
  problem.variants = {variant};
  problem.exits = {{"last", 15}};
  problem.policies = {{"last", {{0, Whole}}, {9000}}};
  return problem;
}

TEST(DeepThings, ReproducesThePublishedTrafficAndWork) {
  const Problem problem = yolo();
  const double expected_mebibytes[] = {13.79, 16.23, 18.99};
  const double expected_ratio[] = {1.529, 1.845, 2.196};
  for (int grid = 3; grid <= 5; ++grid) {
    const std::vector<Tile> tiles = grid_tiles(38, 38, grid, grid, {0});
    EXPECT_TRUE(covers_once(tiles, 38, 38));
    const TilingShape shape = tiling_shape(problem, 0, 0, 15, tiles);
    Bytes bytes = problem.variants[0].input_bytes + problem.variants[0].layers[15].output_bytes;
    double work = 0, whole = 0;
    for (const Layer& layer : problem.layers) whole += static_cast<double>(layer.macs);
    for (const TilingShape::Piece& piece : shape.pieces) {
      bytes += piece.input_bytes;
      for (const TilingShape::Part& part : piece.parts)
        work += static_cast<double>(problem.layers[at(part.layer)].macs) * static_cast<double>(part.area) /
                static_cast<double>(part.whole);
    }
    EXPECT_NEAR(static_cast<double>(bytes) / (1 << 20), expected_mebibytes[grid - 3], 0.005);
    EXPECT_NEAR(work / whole, expected_ratio[grid - 3], 0.0005);
  }
}

TEST(Modnn, SharesSumToTheHeightInProportion) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    const int height = random.between(1, 200);
    std::vector<std::int64_t> weights;
    for (int worker = 0; worker < 4; ++worker) weights.push_back(random.between(0, 9));
    weights.push_back(1);
    const std::vector<Tile> tiles = row_tiles(height, 7, {0, 1, 2, 3, 4}, weights);
    ASSERT_TRUE(covers_once(tiles, height, 7));
    std::int64_t sum = 0;
    for (const std::int64_t weight : weights) sum += weight;
    for (const Tile& tile : tiles)
      ASSERT_NEAR(
          tile.last_row - tile.first_row + 1,
          static_cast<double>(height) * static_cast<double>(weights[at(tile.device)]) / static_cast<double>(sum), 1.0);
  }
}

TEST(Crime, BreakEvenMovesWithTheBandwidth) {
  const auto goes_away = [](std::int64_t length, std::int64_t bandwidth) {
    Problem problem;
    problem.devices = {{"home", DeviceKind::Cpu, 0, Whole}, {"server", DeviceKind::Remote, 0, Whole}};
    problem.links = {{0, 1, bandwidth, 50'000, 0, 0}, {1, 0, bandwidth, 50'000, 0, 0}};
    problem.layers = {{"all", {NetworkInput}, std::nullopt, 0}};
    problem.variants = {{"one",
                         length * 100,
                         {{10,
                           0,
                           {Cost{{length * 10'000, length * 10'000, TimeSource::Exact}, 0},
                            Cost{{length * 1000, length * 1000, TimeSource::Exact}, 0}}}},
                         false}};
    problem.exits = {{"last", 0}};
    problem.policies = {{"last", {{0, Whole}}, {9000}}};
    return crime(problem, {}).steps.front().device == 1;
  };
  const auto break_even = [&](std::int64_t bandwidth) {
    for (std::int64_t length = 1; length < 1000; ++length)
      if (goes_away(length, bandwidth)) return length;
    return std::int64_t{1000};
  };
  EXPECT_LT(break_even(40'000'000), break_even(20'000'000));
}

TEST(ExitRule, HasItsEndsAndAgreesWithFloatingPoint) {
  for (std::uint64_t instance = 0; instance < Instances; ++instance) {
    test::Random random(instance);
    std::vector<std::int8_t> logits(at(random.between(1, 200)));
    for (std::int8_t& logit : logits) logit = random.byte();
    const std::int32_t scale = random.between(1, 1 << 15);
    EXPECT_FALSE(leaves(logits, scale, 0));
    EXPECT_TRUE(leaves(logits, scale,
                       static_cast<std::int32_t>((std::log(static_cast<double>(logits.size())) + 0.01) * EntropyUnit)));
    double sum = 0, exact = 0;
    for (const std::int8_t logit : logits) sum += std::exp(logit * static_cast<double>(scale) / EntropyUnit);
    for (const std::int8_t logit : logits) {
      const double share = std::exp(logit * static_cast<double>(scale) / EntropyUnit) / sum;
      if (share > 0) exact -= share * std::log(share);
    }
    EXPECT_NEAR(static_cast<double>(entropy(logits, scale)) / EntropyUnit, exact, 0.002);
  }
}

TEST(Steal, HandsOutEveryTileOnce) {
  test::Random random;
  StealState state{{{0, 1, 2, 3}, {}, {4, 5}}, 0};
  std::vector<int> seen(6, 0);
  for (;;) {
    StealAction action = on_idle(state, random.between(0, 2));
    if (!action.tile) break;
    ++seen[at(*action.tile)];
    state = std::move(action.state);
  }
  EXPECT_EQ(seen, std::vector<int>(6, 1));
}

}  // namespace
}  // namespace espalier::plan

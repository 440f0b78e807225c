// JointDNN: a shortest path over groups of consecutive layers on either side, any number of crossings.
//
// Eshratifar, Abrishami, Pedram, "JointDNN: An Efficient Training and Inference Engine for Intelligent Mobile Cloud
// Computing Services", IEEE TMC 2021 (arXiv 1801.08618): nodes M_i:j and C_i:j with the measured time of the group,
// edges with upload or download. Ours: groups begin and end where one tensor alone is alive, instead of duplicated
// nodes for residual blocks; groups without a declared cost take the sum of their layers; the deadline is handled by
// the multiplier search of LARAC (Juttner et al., INFOCOM 2001).
#include "plan/planners/jointdnn.hpp"

#include <algorithm>
#include <utility>

#include "plan/cost/transfer.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

std::vector<GroupRun> group_runs(const Problem& problem, int policy) {
  std::vector<int> cuts = cut_positions(problem, policy);
  cuts.insert(cuts.begin(), 0);
  const std::vector<int> layers = needed_layers(problem, policy);
  std::vector<GroupRun> runs;
  for (int begin = 0; begin + 1 < static_cast<int>(cuts.size()); ++begin)
    for (int end = begin + 1; end < static_cast<int>(cuts.size()); ++end)
      runs.push_back({begin, end, layers[at(cuts[at(begin)])], layers[at(cuts[at(end)] - 1)]});
  return runs;
}

void append_run(const Problem& problem, int policy, int variant, const GroupRun& run, int device, SharedPlan& plan) {
  if (find_group(problem, variant, run.first, run.last, device) != nullptr) {
    plan.steps.push_back({run.first, run.last, device, {}});
    return;
  }
  for (const int layer : needed_layers(problem, policy))
    if (layer >= run.first && layer <= run.last) plan.steps.push_back({layer, layer, device, {}});
}

std::optional<SharedPlan> shortest_groups(const Problem& problem, Objective objective, std::int64_t multiplier,
                                          int policy, int variant, int server) {
  const std::vector<GroupRun> runs = group_runs(problem, policy);
  const int ends = runs.empty() ? 0 : runs.back().end;
  struct Node {
    std::int64_t value = Impossible;
    SharedPlan plan;
  };
  // Per position and side; a run's cost is the growth of the evaluation of the beginning of the plan.
  std::vector<std::vector<Node>> nodes(at(ends) + 1, std::vector<Node>(2));
  const int sides[2] = {problem.home, server};
  nodes[0][0].value = 0;
  nodes[0][0].plan.policy = policy;
  nodes[0][0].plan.variant = variant;
  const std::vector<BasisPoints> shares = reach(problem, problem.policies[at(policy)]);
  const auto cost_of = [&](const Primitive& cost, BasisPoints share) {
    if (!cost.possible()) return Impossible;
    return add(times(objective == Objective::Energy ? cost.energy : cost.mean, share), times(cost.bound, multiplier));
  };
  const auto run_cost = [&](const GroupRun& run, int device) {
    if (const Group* group = find_group(problem, variant, run.first, run.last, device))
      return cost_of(loaded(problem, group->cost, device), shares[at(run.first)]);
    std::int64_t sum = 0;
    for (int layer = run.first; layer <= run.last; ++layer)
      if (shares[at(layer)] > 0)
        sum = add(sum, cost_of(layer_cost(problem, variant, layer, device), shares[at(layer)]));
    return sum;
  };
  for (const GroupRun& run : runs) {
    for (int to = 0; to < 2; ++to) {
      for (int from = 0; from < 2; ++from) {
        const Node& before = nodes[at(run.begin)][at(from)];
        if (before.value >= Impossible) continue;
        std::int64_t sum = add(before.value, run_cost(run, sides[to]));
        const int tensor = before.plan.steps.empty() ? NetworkInput : before.plan.steps.back().last;
        sum = add(sum, cost_of(transfer(problem, sides[from], sides[to], tensor_bytes(problem, variant, tensor)),
                               shares[at(run.first)]));
        for (int layer = run.first; layer <= run.last; ++layer)
          if (is_exit(problem, problem.policies[at(policy)], layer))
            sum = add(sum, cost_of(transfer(problem, sides[to], problem.home, tensor_bytes(problem, variant, layer)),
                                   shares[at(layer)]));
        Node& node = nodes[at(run.end)][at(to)];
        if (sum >= node.value) continue;
        node = {sum, before.plan};
        append_run(problem, policy, variant, run, sides[to], node.plan);
      }
    }
  }
  const Node& best = nodes.back()[0].value <= nodes.back()[1].value ? nodes.back()[0] : nodes.back()[1];
  if (best.value >= Impossible) return std::nullopt;
  return best.plan;
}

SharedPlan jointdnn(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  constexpr int Rounds = 16;
  Choose choose;
  for (const int server : partners(problem)) {
    const auto offer = [&](const std::optional<SharedPlan>& plan) {
      Evaluation cost = plan ? evaluate(problem, *plan) : Evaluation();
      if (cost.feasible && (!request.deadline || cost.bound <= *request.deadline))
        choose.offer(*plan, request.objective == Objective::Energy ? cost.energy : cost.latency);
      return cost;
    };
    const auto objective = [&](const Evaluation& cost) {
      return request.objective == Objective::Energy ? cost.energy : cost.latency;
    };
    Evaluation low = offer(shortest_groups(problem, request.objective, 0, policy, variant, server));
    if (!low.feasible || !request.deadline || low.bound <= *request.deadline) continue;
    Evaluation high = offer(shortest_groups(problem, request.objective, Whole * Whole, policy, variant, server));
    for (int round = 0; round < Rounds && high.feasible && high.bound < low.bound; ++round) {
      const std::int64_t multiplier = (objective(high) - objective(low)) / (low.bound - high.bound);
      if (multiplier <= 0) break;
      const Evaluation middle = offer(shortest_groups(problem, request.objective, multiplier, policy, variant, server));
      if (middle.bound == low.bound || middle.bound == high.bound) break;
      (middle.bound <= *request.deadline ? high : low) = middle;
    }
  }
  return choose.take(problem, "jointdnn", "shortest path over groups of layers on both sides");
}

}  // namespace espalier::plan

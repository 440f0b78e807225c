#include "plan/cost/evaluate.hpp"

#include <algorithm>
#include <cstddef>

#include "plan/cost/tiles.hpp"
#include "plan/cost/transfer.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

class Evaluator {
 public:
  Evaluator(const Problem& problem, const SharedPlan& plan, Returns returns)
      : problem_(problem),
        plan_(plan),
        returns_(returns),
        policy_(problem.policies[at(plan.policy)]),
        reach_(reach(problem, policy_)),
        holders_(problem.layers.size() + 1, std::vector<bool>(problem.devices.size(), false)),
        producer_(problem.layers.size() + 1, -1),
        weights_(problem.devices.size(), 0) {
    result_.loads.assign(problem.devices.size() + problem.links.size(), 0);
    result_.accuracy = policy_.accuracy[at(plan.variant)];
    hold(NetworkInput, problem.home);
  }

  Evaluation run() {
    std::vector<bool> done(problem_.layers.size(), false);
    int next = 0;
    for (const PlanStep& step : plan_.steps) {
      if (step.first < next || step.last < step.first || at(step.last) >= problem_.layers.size() || step.device < 0 ||
          at(step.device) >= problem_.devices.size())
        return fail("a step is out of order or out of range");
      next = step.last + 1;
      for (int layer = step.first; layer <= step.last; ++layer) done[at(layer)] = true;
      if (!execute(step)) return result_;
    }
    for (std::size_t layer = 0; layer < done.size(); ++layer)
      if (reach_[layer] > 0 && !done[layer]) return fail("layer " + problem_.layers[layer].name + " is in no step");
    for (std::size_t device = 0; device < weights_.size(); ++device)
      if (problem_.devices[device].memory > 0 && weights_[device] > problem_.devices[device].memory)
        return fail("weights exceed the memory of " + problem_.devices[device].name);
    if (result_.bound >= Impossible || result_.latency >= Impossible) return fail("a transfer is not possible");
    result_.bottleneck = *std::max_element(result_.loads.begin(), result_.loads.end());
    result_.feasible = true;
    return result_;
  }

 private:
  Evaluation fail(std::string reason) {
    result_.feasible = false;
    result_.reason = std::move(reason);
    return result_;
  }

  void hold(int tensor, int device) {
    holders_[at(tensor + 1)].assign(problem_.devices.size(), false);
    holders_[at(tensor + 1)][at(device)] = true;
    producer_[at(tensor + 1)] = device;
  }

  void count(const Primitive& cost, BasisPoints share) {
    result_.latency = add(result_.latency, times(cost.mean, share));
    result_.energy = add(result_.energy, times(cost.energy, share));
    result_.bound = add(result_.bound, cost.bound);
  }

  void load(std::size_t resource, Nanoseconds time, BasisPoints share) {
    result_.loads[resource] = add(result_.loads[resource], times(time, share));
  }

  // The tensor from where it was made to `device`, unless it is there.
  bool fetch(int tensor, int device, BasisPoints share) {
    const int from = producer_[at(tensor + 1)];
    if (from < 0) return false;
    if (holders_[at(tensor + 1)][at(device)]) return true;
    holders_[at(tensor + 1)][at(device)] = true;
    if (returns_ == Returns::Free && device == problem_.home) return true;
    const Primitive cost = transfer(problem_, from, device, tensor_bytes(problem_, plan_.variant, tensor));
    count(cost, share);
    if (const std::optional<int> link = find_link(problem_, from, device))
      load(problem_.devices.size() + at(*link), cost.mean, share);
    return cost.possible();
  }

  bool fetch_inputs(int layer, int first, int device) {
    for (const int input : problem_.layers[at(layer)].inputs) {
      if (input >= first) continue;
      if (!fetch(input, device, reach_[at(layer)])) {
        fail(problem_.devices[at(device)].name + " cannot get an input of layer " + problem_.layers[at(layer)].name);
        return false;
      }
    }
    return true;
  }

  bool execute(const PlanStep& step) {
    if (!step.tiles.empty()) return execute_tiles(step);
    const Group* group = find_group(problem_, plan_.variant, step.first, step.last, step.device);
    const bool whole = std::all_of(reach_.begin() + step.first, reach_.begin() + step.last + 1,
                                   [&](BasisPoints share) { return share == reach_[at(step.first)] && share > 0; });
    if (group != nullptr && !whole) group = nullptr;
    if (group != nullptr) {
      const Primitive cost = loaded(problem_, group->cost, step.device);
      count(cost, reach_[at(step.first)]);
      load(at(step.device), cost.mean, reach_[at(step.first)]);
      if (!cost.possible()) {
        fail("a group cannot run on its device");
        return false;
      }
    }
    for (int layer = step.first; layer <= step.last; ++layer)
      if (reach_[at(layer)] > 0 && !execute_layer(layer, step.device, group == nullptr)) return false;
    return true;
  }

  bool execute_layer(int layer, int device, bool counted) {
    if (!fetch_inputs(layer, layer, device)) return false;
    const Primitive cost = layer_cost(problem_, plan_.variant, layer, device);
    if (counted && !cost.possible()) {
      fail("layer " + problem_.layers[at(layer)].name + " is not supported on " + problem_.devices[at(device)].name);
      return false;
    }
    if (counted) {
      count(cost, reach_[at(layer)]);
      load(at(device), cost.mean, reach_[at(layer)]);
    }
    weights_[at(device)] += problem_.variants[at(plan_.variant)].layers[at(layer)].weight_bytes;
    return finish(layer, device);
  }

  // The answer of an exit goes home.
  bool finish(int layer, int device) {
    hold(layer, device);
    if (!is_exit(problem_, policy_, layer) || fetch(layer, problem_.home, reach_[at(layer)])) return true;
    fail("the answer of layer " + problem_.layers[at(layer)].name + " cannot be sent home");
    return false;
  }

  bool execute_tiles(const PlanStep& step) {
    const BasisPoints share = reach_[at(step.first)];
    for (int layer = step.first; layer <= step.last; ++layer)
      if (reach_[at(layer)] != share || (layer < step.last && is_exit(problem_, policy_, layer)) || share == 0) {
        fail("an exit lies inside a tiling");
        return false;
      }
    const Segment shape = segment(problem_, step.first, step.last);
    const std::optional<Window>& output = problem_.layers[at(step.last)].window;
    if (!shape.tileable || !covers_once(step.tiles, output->height, output->width)) {
      fail("layers " + problem_.layers[at(step.first)].name + " to " + problem_.layers[at(step.last)].name +
           " cannot be tiled so");
      return false;
    }
    if (!fetch_inputs(step.first, step.first, step.device)) return false;
    const TilingCost tiling = tiling_cost(
        problem_, plan_.variant, tiling_shape(problem_, plan_.variant, step.first, step.last, step.tiles), step.device);
    if (!tiling.cost.possible()) {
      fail("a tile cannot run on its device");
      return false;
    }
    count(tiling.cost, share);
    for (std::size_t resource = 0; resource < tiling.loads.size(); ++resource)
      load(resource, tiling.loads[resource], share);
    place_tile_weights(step);
    return finish(step.last, step.device);
  }

  void place_tile_weights(const PlanStep& step) {
    std::vector<bool> used(problem_.devices.size(), false);
    for (const Tile& tile : step.tiles) used[at(tile.device)] = true;
    for (int layer = step.first; layer <= step.last; ++layer)
      for (std::size_t device = 0; device < used.size(); ++device)
        if (used[device]) weights_[device] += problem_.variants[at(plan_.variant)].layers[at(layer)].weight_bytes;
  }

  const Problem& problem_;
  const SharedPlan& plan_;
  Returns returns_;
  const Policy& policy_;
  std::vector<BasisPoints> reach_;
  std::vector<std::vector<bool>> holders_;  // per tensor; the network's input first
  std::vector<int> producer_;
  std::vector<Bytes> weights_;
  Evaluation result_;
};

}  // namespace

std::vector<BasisPoints> reach(const Problem& problem, const Policy& policy) {
  std::vector<bool> needed(problem.layers.size(), false);
  for (const Policy::Leave& leave : policy.leaves) needed[at(problem.exits[at(leave.exit)].layer)] = true;
  for (std::size_t layer = problem.layers.size(); layer-- > 0;)
    if (needed[layer])
      for (const int input : problem.layers[layer].inputs)
        if (input != NetworkInput) needed[at(input)] = true;
  std::vector<BasisPoints> result(problem.layers.size(), 0);
  for (std::size_t layer = 0; layer < result.size(); ++layer) {
    if (!needed[layer]) continue;
    result[layer] = Whole;
    for (const Policy::Leave& leave : policy.leaves)
      if (at(problem.exits[at(leave.exit)].layer) < layer) result[layer] -= leave.share;
  }
  return result;
}

bool is_exit(const Problem& problem, const Policy& policy, int layer) {
  return std::any_of(policy.leaves.begin(), policy.leaves.end(),
                     [&](const Policy::Leave& leave) { return problem.exits[at(leave.exit)].layer == layer; });
}

Evaluation evaluate(const Problem& problem, const SharedPlan& plan, Returns returns) {
  if (plan.policy < 0 || at(plan.policy) >= problem.policies.size() || plan.variant < 0 ||
      at(plan.variant) >= problem.variants.size()) {
    Evaluation none;
    none.reason = "no such policy or variant";
    return none;
  }
  return Evaluator(problem, plan, returns).run();
}

std::int64_t value(const Problem& problem, const Request& request, const Evaluation& evaluation) {
  if (!evaluation.feasible || evaluation.accuracy < problem.accuracy_floor) return Impossible;
  if (request.deadline && evaluation.bound > *request.deadline) return Impossible;
  switch (request.objective) {
    case Objective::Latency:
      return evaluation.latency;
    case Objective::Energy:
      return evaluation.energy;
    case Objective::Throughput:
      return evaluation.bottleneck;
  }
  return Impossible;
}

}  // namespace espalier::plan

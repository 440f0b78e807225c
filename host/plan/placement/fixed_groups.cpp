#include <algorithm>

#include "plan/placement/placement_problem.hpp"
#include "plan/planners/max_flow.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

bool any_reader(const PlacedTensor& tensor, const std::vector<bool>& on_accelerator, bool where) {
  return std::any_of(tensor.readers.begin(), tensor.readers.end(),
                     [&](int reader) { return on_accelerator[at(reader)] == where; });
}

/// Transfers of one tensor.
Nanoseconds moved(const PlacedTensor& tensor, const std::vector<bool>& on_accelerator) {
  const bool made_there = tensor.maker >= 0 && on_accelerator[at(tensor.maker)];
  if (!made_there) return any_reader(tensor, on_accelerator, true) ? tensor.up : 0;
  return tensor.answer || any_reader(tensor, on_accelerator, false) ? tensor.down : 0;
}

}  // namespace

Nanoseconds fixed_cost(const PlacementProblem& problem, const std::vector<bool>& on_accelerator) {
  Nanoseconds cost = 0;
  for (int layer = 0; layer < problem.layers(); ++layer)
    cost = add(cost, on_accelerator[at(layer)] ? problem.accelerator[at(layer)] : problem.host[at(layer)]);
  for (const PlacedTensor& tensor : problem.tensors) cost = add(cost, moved(tensor, on_accelerator));
  return cost;
}

FixedPlan best_fixed(const PlacementProblem& problem) {
  // Source side: on the host; sink side: on the accelerator.
  const int source = problem.layers(), sink = source + 1;
  FlowNetwork network(problem.layers() + 2);
  for (int layer = 0; layer < problem.layers(); ++layer) {
    network.add_edge(source, layer, problem.accelerator[at(layer)]);
    network.add_edge(layer, sink, problem.host[at(layer)]);
  }
  for (const PlacedTensor& tensor : problem.tensors) {
    const int maker = tensor.maker < 0 ? source : tensor.maker;
    if (!tensor.readers.empty()) {
      const int sent = network.add_node();
      network.add_edge(maker, sent, tensor.up);
      for (const int reader : tensor.readers) network.add_edge(sent, reader, Impossible);
    }
    if (tensor.maker < 0) continue;
    if (tensor.answer) {
      network.add_edge(source, maker, tensor.down);
    } else if (!tensor.readers.empty()) {
      const int returned = network.add_node();
      network.add_edge(returned, maker, tensor.down);
      for (const int reader : tensor.readers) network.add_edge(reader, returned, Impossible);
    }
  }
  const FlowNetwork::Cut cut = network.minimum_cut(source, sink);
  if (cut.value >= Impossible) return {};
  FixedPlan plan{cut.value, {}};
  for (int layer = 0; layer < problem.layers(); ++layer) plan.on_accelerator.push_back(!cut.source_side[at(layer)]);
  return plan;
}

FixedPlan greedy_fixed(const PlacementProblem& problem) {
  FixedPlan plan{0, std::vector<bool>(at(problem.layers()), false)};
  for (int layer = 0; layer < problem.layers(); ++layer) {
    Nanoseconds here = problem.host[at(layer)], there = problem.accelerator[at(layer)];
    for (const PlacedTensor& tensor : problem.tensors) {
      if (std::find(tensor.readers.begin(), tensor.readers.end(), layer) == tensor.readers.end()) continue;
      const bool made_there = tensor.maker >= 0 && plan.on_accelerator[at(tensor.maker)];
      (made_there ? here : there) = add(made_there ? here : there, made_there ? tensor.down : tensor.up);
    }
    plan.on_accelerator[at(layer)] = there < here;
  }
  plan.cost = fixed_cost(problem, plan.on_accelerator);
  return plan;
}

}  // namespace espalier::plan

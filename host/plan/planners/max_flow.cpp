#include "plan/planners/max_flow.hpp"

#include <algorithm>
#include <cstddef>
#include <queue>

#include "plan/cost/units.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

void FlowNetwork::add_edge(int from, int to, std::int64_t capacity) {
  edges_.push_back({to, first_[at(from)], capacity});
  first_[at(from)] = static_cast<int>(edges_.size()) - 1;
  edges_.push_back({from, first_[at(to)], 0});
  first_[at(to)] = static_cast<int>(edges_.size()) - 1;
}

bool FlowNetwork::levels(int source, int sink) {
  level_.assign(first_.size(), -1);
  level_[at(source)] = 0;
  std::queue<int> open;
  open.push(source);
  while (!open.empty()) {
    const int node = open.front();
    open.pop();
    for (int edge = first_[at(node)]; edge >= 0; edge = edges_[at(edge)].next) {
      const int to = edges_[at(edge)].to;
      if (edges_[at(edge)].left <= 0 || level_[at(to)] >= 0) continue;
      level_[at(to)] = level_[at(node)] + 1;
      open.push(to);
    }
  }
  return level_[at(sink)] >= 0;
}

std::int64_t FlowNetwork::push(int node, int sink, std::int64_t most) {
  if (node == sink) return most;
  for (int& edge = at_[at(node)]; edge >= 0; edge = edges_[at(edge)].next) {
    const int to = edges_[at(edge)].to;
    if (edges_[at(edge)].left <= 0 || level_[at(to)] != level_[at(node)] + 1) continue;
    const std::int64_t flow = push(to, sink, std::min(most, edges_[at(edge)].left));
    if (flow == 0) continue;
    edges_[at(edge)].left -= flow;
    edges_[at(edge ^ 1)].left = add(edges_[at(edge ^ 1)].left, flow);
    return flow;
  }
  return 0;
}

FlowNetwork::Cut FlowNetwork::minimum_cut(int source, int sink) {
  Cut cut;
  while (cut.value < Impossible && levels(source, sink)) {
    at_ = first_;
    while (cut.value < Impossible) {
      const std::int64_t flow = push(source, sink, Impossible);
      if (flow == 0) break;
      cut.value = add(cut.value, flow);
    }
  }
  levels(source, sink);
  for (const int level : level_) cut.source_side.push_back(level >= 0);
  return cut;
}

}  // namespace espalier::plan

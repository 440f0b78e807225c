#include <algorithm>
#include <queue>
#include <string>
#include <unordered_map>

#include "plan/placement/placement_problem.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Finished layers, one byte each, as a key.
using Finished = std::string;

struct Option {
  int group = -1;
  std::vector<int> layers;
  std::vector<int> needs;  // layers that must be finished before
  Nanoseconds cost = 0;
};

class Search {
 public:
  Search(const PlacementProblem& problem, const std::vector<GroupCandidate>& candidates, std::size_t most_states)
      : problem_(problem), most_states_(most_states), share_(problem.host) {
    for (int layer = 0; layer < problem.layers(); ++layer)
      if (problem.host[at(layer)] < Impossible) add_option({-1, {layer}, {}, problem.host[at(layer)]});
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const Nanoseconds cost = block_cost(problem, candidates[i]);
      if (cost < Impossible) add_option({static_cast<int>(i), candidates[i].layers, {}, cost});
    }
  }

  GroupedPlan run() {
    const Finished none(problem_.host.size(), 0), all(problem_.host.size(), 1);
    Nanoseconds rest = 0;
    for (const Nanoseconds share : share_) rest = add(rest, share);
    if (rest >= Impossible) return {};
    reach(none, 0, nullptr, -1, rest);
    while (!open_.empty()) {
      const Entry entry = open_.top();
      open_.pop();
      State& state = *entry.state;
      if (state.closed) continue;
      state.closed = true;
      if (*state.key == all) return trace(state);
      if (states_.size() > most_states_) return {Impossible, {}, false};
      extend(state, entry.bound);
    }
    return {};
  }

 private:
  struct State {
    const Finished* key = nullptr;
    Nanoseconds cost = Impossible;
    const State* before = nullptr;
    int option = -1;
    bool closed = false;
  };
  struct Entry {
    Nanoseconds bound;
    State* state;
    bool operator<(const Entry& other) const { return bound > other.bound; }
  };

  /// A layer's share of a group's cost bounds what is left to pay from below: it is no more than the cost divided by
  /// the layers of any group that holds the layer.
  void add_option(Option option) {
    const auto size = static_cast<Nanoseconds>(option.layers.size());
    const auto inside = [&](int layer) {
      return std::find(option.layers.begin(), option.layers.end(), layer) != option.layers.end();
    };
    for (const PlacedTensor& tensor : problem_.tensors)
      if (tensor.maker >= 0 && !inside(tensor.maker) &&
          std::any_of(tensor.readers.begin(), tensor.readers.end(), inside))
        option.needs.push_back(tensor.maker);
    for (const int layer : option.layers) {
      share_[at(layer)] = std::min(share_[at(layer)], option.cost / size);
    }
    options_.push_back(std::move(option));
  }

  void reach(const Finished& key, Nanoseconds cost, const State* before, int option, Nanoseconds bound) {
    const auto [found, fresh] = states_.try_emplace(key);
    State& state = found->second;
    if (!fresh && state.cost <= cost) return;
    state = {&found->first, cost, before, option, false};
    open_.push({bound, &state});
  }

  /// Options that begin with an unfinished layer whose needs are finished.
  void extend(const State& state, Nanoseconds bound) {
    for (std::size_t i = 0; i < options_.size(); ++i) {
      const Option& option = options_[i];
      const auto finished = [&](int layer) { return (*state.key)[at(layer)] != 0; };
      if (std::any_of(option.layers.begin(), option.layers.end(), finished)) continue;
      if (!std::all_of(option.needs.begin(), option.needs.end(), finished)) continue;
      Finished next = *state.key;
      Nanoseconds paid = 0;
      for (const int layer : option.layers) {
        next[at(layer)] = 1;
        paid += share_[at(layer)];
      }
      reach(next, add(state.cost, option.cost), &state, static_cast<int>(i), add(bound, option.cost - paid));
    }
  }

  GroupedPlan trace(const State& last) const {
    GroupedPlan plan;
    plan.cost = last.cost;
    for (const State* state = &last; state->before != nullptr; state = state->before) {
      const Option& option = options_[at(state->option)];
      plan.blocks.push_back({option.group, option.layers});
    }
    std::reverse(plan.blocks.begin(), plan.blocks.end());
    return plan;
  }

  const PlacementProblem& problem_;
  std::size_t most_states_;
  std::vector<Nanoseconds> share_;  // lower bound of what a layer adds to any plan
  std::vector<Option> options_;
  std::unordered_map<Finished, State> states_;
  std::priority_queue<Entry> open_;
};

}  // namespace

Nanoseconds block_cost(const PlacementProblem& problem, const GroupCandidate& group) {
  const auto inside = [&](int layer) { return std::binary_search(group.layers.begin(), group.layers.end(), layer); };
  Nanoseconds cost = group.cost;
  for (const PlacedTensor& tensor : problem.tensors) {
    const bool read = std::any_of(tensor.readers.begin(), tensor.readers.end(), inside);
    if (tensor.maker < 0 || !inside(tensor.maker)) {
      if (read) cost = add(cost, tensor.up);
    } else if (tensor.answer || !std::all_of(tensor.readers.begin(), tensor.readers.end(), inside)) {
      cost = add(cost, tensor.down);
    }
  }
  return cost;
}

GroupedPlan best_grouped(const PlacementProblem& problem, const std::vector<GroupCandidate>& candidates,
                         std::size_t most_states) {
  return Search(problem, candidates, most_states).run();
}

}  // namespace espalier::plan

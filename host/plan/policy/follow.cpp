#include "plan/policy/follow.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "esp_error.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/cost/transfer.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

[[noreturn]] void broken(const char* what, const Problem& problem) {
  throw Error(ErrorCode::Internal, what, problem.name, {}, "evaluate the plan before it is followed");
}

class Follower {
 public:
  Follower(const Problem& problem, const SharedPlan& plan, FollowState state)
      : problem_(problem),
        plan_(plan),
        policy_(problem.policies[at(plan.policy)]),
        reach_(reach(problem, policy_)),
        result_{std::move(state), {}, std::nullopt, false} {}

  Followed on(const Begin&) {
    FollowState& state = result_.state;
    state = {};
    state.maker.assign(problem_.layers.size() + 1, -1);
    state.holders.assign(problem_.layers.size() + 1, std::vector<bool>(problem_.devices.size(), false));
    state.waiting_tiles.assign(problem_.devices.size(), {});
    make(NetworkInput, problem_.home);
    return advance();
  }

  Followed on(const Ended& ended) {
    FollowState& state = result_.state;
    if (--state.running < 0) broken("an action ended that had not begun", problem_);
    const Action& action = ended.action;
    switch (action.kind) {
      case Action::Kind::Send:
        state.holders[at(action.tensor + 1)][at(action.to)] = true;
        break;
      case Action::Kind::Layers:
        for (int layer = action.first; layer <= action.last; ++layer)
          if (reach_[at(layer)] > 0) make(layer, action.to);
        state.done = true;
        state.answer = action.first;
        break;
      case Action::Kind::SendPart:
        begin({Action::Kind::ComputePart, action.to, action.to, NetworkInput, action.first, action.last, action.tile});
        break;
      case Action::Kind::ComputePart:
        return_part(action.tile);
        break;
      case Action::Kind::ReturnPart:
        end_tile(step().tiles[at(action.tile)].device);
        break;
    }
    return state.running == 0 ? advance() : std::move(result_);
  }

  Followed on(const Decided& decided) {
    if (decided.leaves) {
      result_.finished = true;
      return std::move(result_);
    }
    ++result_.state.answer;
    return advance();
  }

 private:
  const PlanStep& step() const { return plan_.steps[at(result_.state.step)]; }
  bool last_step() const { return at(result_.state.step) >= plan_.steps.size(); }

  void make(int tensor, int device) {
    result_.state.maker[at(tensor + 1)] = device;
    result_.state.holders[at(tensor + 1)].assign(problem_.devices.size(), false);
    result_.state.holders[at(tensor + 1)][at(device)] = true;
  }

  void begin(const Action& action) {
    ++result_.state.running;
    result_.actions.push_back(action);
  }

  /// Sends a tensor where it is missing; false if it is there.
  bool send(int tensor, int device) {
    const int from = result_.state.maker[at(tensor + 1)];
    if (from < 0) broken("a layer runs before its input is made", problem_);
    if (result_.state.holders[at(tensor + 1)][at(device)]) return false;
    begin({Action::Kind::Send, from, device, tensor, 0, 0, 0});
    return true;
  }

  /// Sends the first input from outside that is missing; false if all are there.
  bool send_inputs(int first, int last, int device) {
    for (int layer = first; layer <= last; ++layer) {
      if (reach_[at(layer)] == 0) continue;
      for (const int input : problem_.layers[at(layer)].inputs)
        if (input < first && send(input, device)) return true;
    }
    return false;
  }

  /// The layers that run as one: the declared group of the step, or its next needed layer.
  std::pair<int, int> run() const {
    const PlanStep& now = step();
    const bool whole = std::all_of(reach_.begin() + now.first, reach_.begin() + now.last + 1,
                                   [&](BasisPoints share) { return share > 0 && share == reach_[at(now.first)]; });
    if (whole && find_group(problem_, plan_.variant, now.first, now.last, now.device) != nullptr)
      return {now.first, now.last};
    int layer = std::max(result_.state.layer, now.first);
    while (layer <= now.last && reach_[at(layer)] == 0) ++layer;
    return {layer, layer};
  }

  std::optional<int> leave_of(int layer) const {
    for (std::size_t leave = 0; leave < policy_.leaves.size(); ++leave)
      if (problem_.exits[at(policy_.leaves[leave].exit)].layer == layer) return static_cast<int>(leave);
    return std::nullopt;
  }

  /// Sends the next answer of first..last home or asks about it; false if none is left.
  bool answer(int last) {
    FollowState& state = result_.state;
    for (; state.answer <= last; ++state.answer) {
      const std::optional<int> leave = leave_of(state.answer);
      if (!leave || reach_[at(state.answer)] == 0) continue;
      if (send(state.answer, problem_.home)) return true;
      result_.asks = leave;
      return true;
    }
    return false;
  }

  Followed advance() {
    FollowState& state = result_.state;
    while (!last_step()) {
      const bool tiled = !step().tiles.empty();
      const auto [first, last] = tiled ? std::pair{step().first, step().last} : run();
      if (first > step().last) {
        ++state.step;
        state.layer = -1;
        continue;
      }
      if (!state.done) {
        if (send_inputs(first, last, step().device)) return std::move(result_);
        if (tiled)
          begin_tiles();
        else
          begin({Action::Kind::Layers, step().device, step().device, NetworkInput, first, last, 0});
        return std::move(result_);
      }
      if (answer(last)) return std::move(result_);
      state.done = false;
      state.layer = last + 1;
      if (tiled || last == step().last) {
        ++state.step;
        state.layer = -1;
      }
    }
    broken("a plan ends before its last exit", problem_);
  }

  void begin_tiles() {
    FollowState& state = result_.state;
    for (int tile = 0; tile < static_cast<int>(step().tiles.size()); ++tile)
      state.waiting_tiles[at(step().tiles[at(tile)].device)].push_back(tile);
    for (int device = 0; device < static_cast<int>(problem_.devices.size()); ++device) next_tile(device);
  }

  void next_tile(int device) {
    std::vector<int>& waiting = result_.state.waiting_tiles[at(device)];
    if (waiting.empty()) return;
    const int tile = waiting.front();
    waiting.erase(waiting.begin());
    const bool away = device != step().device;
    begin({away ? Action::Kind::SendPart : Action::Kind::ComputePart, away ? step().device : device, device,
           NetworkInput, step().first, step().last, tile});
  }

  void return_part(int tile) {
    const int device = step().tiles[at(tile)].device;
    if (device == step().device) return end_tile(device);
    begin({Action::Kind::ReturnPart, device, step().device, NetworkInput, step().first, step().last, tile});
  }

  void end_tile(int device) {
    next_tile(device);
    if (result_.state.running > 0) return;
    make(step().last, step().device);
    result_.state.done = true;
    result_.state.answer = step().last;
  }

  const Problem& problem_;
  const SharedPlan& plan_;
  const Policy& policy_;
  std::vector<BasisPoints> reach_;
  Followed result_;
};

}  // namespace

Followed follow(const Problem& problem, const SharedPlan& plan, FollowState state, const FollowEvent& event) {
  Follower follower(problem, plan, std::move(state));
  return std::visit([&](const auto& one) { return follower.on(one); }, event);
}

}  // namespace espalier::plan

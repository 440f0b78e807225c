// Carries out the deadline contract: does what the policy decides, and tells it what happened. No thread and no clock
// of its own; who calls it has both, real or virtual.
//
//   Contract contract(settings, {.send_remote = ..., ...});
//   contract.handle({.kind = plan::EventKind::Arrive, .now = t, .task = 1, .deadline = t + budget});
#pragma once

#include <functional>

#include "plan/policy/deadline.hpp"

namespace espalier::run {

/// What actions do; all are set. None may call handle() before it returns.
struct ContractActions {
  std::function<void(const plan::Action&)> send_remote, cancel_remote, start_local, cancel_local, answer, refuse,
      set_timer;
};

class Contract {
 public:
  Contract(plan::DeadlineSettings settings, ContractActions actions)
      : settings_(std::move(settings)), actions_(std::move(actions)) {}

  void handle(const plan::Event& event);

  const plan::DeadlineState& state() const { return state_; }

 private:
  plan::DeadlineSettings settings_;
  ContractActions actions_;
  plan::DeadlineState state_;
};

}  // namespace espalier::run

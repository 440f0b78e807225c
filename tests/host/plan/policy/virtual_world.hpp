// A device, a link and a server in virtual time, around the code that carries out the deadline contract.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "run/contract.hpp"

namespace espalier::test {

using plan::Nanoseconds;

/// What becomes of a request: an answer or a failure after `delay`; silence if there is neither.
struct Fate {
  Nanoseconds delay = 0;
  bool answered = false;
  std::optional<plan::RemoteFailure> failure;
  bool twice = false;  // reported again a moment later
};

inline Fate answered_after(Nanoseconds delay) { return {.delay = delay, .answered = true, .failure = {}}; }
inline Fate failed_after(Nanoseconds delay, plan::RemoteFailure failure) {
  return {.delay = delay, .failure = failure};
}
inline Fate silent() { return {.failure = {}}; }

class VirtualWorld {
 public:
  struct End {
    int times = 0;
    bool refused = false;
    plan::Action action;
    Nanoseconds arrival = 0;
  };
  std::function<Fate(Nanoseconds now, std::uint64_t task)> server = [](Nanoseconds, std::uint64_t) { return silent(); };
  /// Time of a local exit, none: it fails; at most its bound.
  std::function<std::optional<Nanoseconds>(const plan::LocalExit& exit)> device = [](const plan::LocalExit& exit) {
    return std::optional(exit.bound);
  };

  explicit VirtualWorld(const plan::DeadlineSettings& settings) : settings_(settings), contract_(settings, actions()) {}

  void arrive(std::uint64_t task, Nanoseconds at, Nanoseconds budget) {
    ends[task].arrival = at;
    schedule(at, {.kind = plan::EventKind::Arrive, .task = task, .deadline = at + budget});
  }

  /// Until nothing happens any more.
  void run() {
    while (!events_.empty()) {
      const auto next = events_.begin();
      now_ = next->first;
      Planned planned = next->second;
      events_.erase(next);
      if (stale(planned)) continue;
      planned.event.now = now_;
      if (planned.local_run != 0) running_ = 0;
      contract_.handle(planned.event);
    }
  }

  /// Every task ended once, none late, nothing is left.
  void check() const {
    for (const auto& [task, end] : ends) {
      EXPECT_EQ(end.times, 1) << "task " << task;
      if (!end.refused) {
        EXPECT_GE(end.action.slack, 0) << "task " << task;
      }
    }
    EXPECT_TRUE(contract_.state().tasks.empty());
    EXPECT_TRUE(under_way_.empty());
    EXPECT_EQ(running_, 0U);
  }

  std::size_t refused() const {
    return count([](const End& end) { return end.refused; });
  }
  /// Answers from a place to tasks that arrived in [first, last).
  std::size_t from(plan::Place place, Nanoseconds first = 0, Nanoseconds last = plan::Impossible) const {
    return count([&](const End& end) {
      return !end.refused && end.action.place == place && end.arrival >= first && end.arrival < last;
    });
  }

  std::map<std::uint64_t, End> ends;

 private:
  struct Planned {
    plan::Event event;
    std::uint64_t local_run = 0;  // of a local exit
    std::uint64_t timer = 0;
  };

  std::size_t count(const std::function<bool(const End&)>& which) const {
    std::size_t number = 0;
    for (const auto& [task, end] : ends) number += which(end) ? 1 : 0;
    return number;
  }

  void schedule(Nanoseconds at, const plan::Event& event, std::uint64_t local_run = 0, std::uint64_t timer = 0) {
    events_.emplace(at, Planned{event, local_run, timer});
  }

  bool stale(const Planned& planned) const {
    return (planned.local_run != 0 && planned.local_run != running_) || (planned.timer != 0 && planned.timer != timer_);
  }

  void send(const plan::Action& action) {
    EXPECT_TRUE(under_way_.insert(action.task).second);
    const Fate fate = server(now_, action.task);
    if (!fate.answered && !fate.failure) return;
    plan::Event event{.kind = fate.answered ? plan::EventKind::RemoteAnswer : plan::EventKind::RemoteFailed,
                      .task = action.task,
                      .failure = fate.failure.value_or(plan::RemoteFailure::Late)};
    schedule(now_ + fate.delay, event);
    if (fate.twice) schedule(now_ + fate.delay + 1, event);
    if (!fate.answered) under_way_.erase(action.task);
  }

  void start(const plan::Action& action) {
    EXPECT_EQ(running_, 0U) << "two exits at once";
    running_ = ++runs_;
    for (const plan::LocalExit& exit : settings_.local) {
      if (exit.exit != action.exit) continue;
      const std::optional<Nanoseconds> time = device(exit);
      const plan::EventKind kind = time ? plan::EventKind::LocalDone : plan::EventKind::LocalFailed;
      schedule(now_ + time.value_or(exit.bound / 2), {.kind = kind, .task = action.task}, running_);
    }
  }

  void end(const plan::Action& action, bool refused) {
    End& end = ends[action.task];
    ++end.times;
    end.refused = refused;
    end.action = action;
    if (!refused && action.place == plan::Place::Remote) under_way_.erase(action.task);
  }

  run::ContractActions actions() {
    return {.send_remote = [this](const plan::Action& action) { send(action); },
            .cancel_remote = [this](const plan::Action& action) { under_way_.erase(action.task); },
            .start_local = [this](const plan::Action& action) { start(action); },
            .cancel_local = [this](const plan::Action&) { running_ = 0; },
            .answer = [this](const plan::Action& action) { end(action, false); },
            .refuse = [this](const plan::Action& action) { end(action, true); },
            .set_timer =
                [this](const plan::Action& action) {
                  schedule(action.when, {.kind = plan::EventKind::Timer}, 0, ++timer_);
                }};
  }

  plan::DeadlineSettings settings_;
  run::Contract contract_;
  std::multimap<Nanoseconds, Planned> events_;
  std::set<std::uint64_t> under_way_;
  Nanoseconds now_ = 0;
  std::uint64_t running_ = 0, runs_ = 0, timer_ = 0;
};

}  // namespace espalier::test

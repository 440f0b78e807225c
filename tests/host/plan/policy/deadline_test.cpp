// Properties:
//   - a task goes to the server only while the fastest local exit still fits behind it; its slot starts the local exit
//   - the deepest local exit that keeps every other task's slot is started where the server is not used
//   - a task for which no exit fits is refused at once, and nothing that is open suffers
//   - an answer after the first one is ignored; a server's answer stops the local exit
//   - after failures the server is left alone for a pause that doubles, then tried once
#include "plan/policy/deadline.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace espalier::plan {
namespace {

DeadlineSettings settings() {
  DeadlineSettings settings;
  settings.local = {{0, 10, 8000}, {1, 30, 9000}};
  settings.remote_exit = 2;
  settings.remote_accuracy = 9500;
  settings.first_pause = 1000;
  settings.longest_pause = 4000;
  return settings;
}

const Action* find(const std::vector<Action>& actions, ActionKind kind) {
  const auto found =
      std::find_if(actions.begin(), actions.end(), [&](const Action& action) { return action.kind == kind; });
  return found == actions.end() ? nullptr : &*found;
}

/// Keeps the state between events.
struct Follower {
  DeadlineSettings with = settings();
  DeadlineState state;
  std::vector<Action> actions;

  void event(EventKind kind, Nanoseconds now, std::uint64_t task = 0, Nanoseconds deadline = 0) {
    Decision decision = decide(with, std::move(state), {.kind = kind, .now = now, .task = task, .deadline = deadline});
    state = std::move(decision.state);
    actions = std::move(decision.actions);
  }
  const Action* did(ActionKind kind) const { return find(actions, kind); }
};

TEST(Deadline, GoesRemoteWithALocalExitInReserve) {
  Follower follower;
  follower.event(EventKind::Arrive, 0, 1, 25);
  ASSERT_NE(follower.did(ActionKind::SendRemote), nullptr);
  EXPECT_EQ(follower.did(ActionKind::SetTimer)->when, 15);
  follower.event(EventKind::Timer, 15);
  ASSERT_NE(follower.did(ActionKind::StartLocal), nullptr);
  EXPECT_EQ(follower.did(ActionKind::StartLocal)->exit, 0);
  follower.event(EventKind::LocalDone, 24, 1);
  ASSERT_NE(follower.did(ActionKind::Answer), nullptr);
  EXPECT_EQ(follower.did(ActionKind::Answer)->slack, 1);
  EXPECT_EQ(follower.did(ActionKind::Answer)->place, Place::Local);
  EXPECT_NE(follower.did(ActionKind::CancelRemote), nullptr);
  follower.event(EventKind::RemoteAnswer, 25, 1);
  EXPECT_EQ(follower.did(ActionKind::Answer), nullptr);
}

TEST(Deadline, AnAnswerOfTheServerStopsTheLocalExit) {
  Follower follower;
  follower.event(EventKind::Arrive, 0, 1, 25);
  follower.event(EventKind::Timer, 15);
  follower.event(EventKind::RemoteAnswer, 18, 1);
  EXPECT_NE(follower.did(ActionKind::CancelLocal), nullptr);
  EXPECT_EQ(follower.did(ActionKind::Answer)->place, Place::Remote);
  EXPECT_TRUE(follower.state.tasks.empty());
}

TEST(Deadline, RefusesAtOnceWhatDoesNotFit) {
  Follower follower;
  follower.event(EventKind::Arrive, 0, 1, 9);
  ASSERT_NE(follower.did(ActionKind::Refuse), nullptr);
  EXPECT_EQ(follower.did(ActionKind::Refuse)->reason, RefuseReason::NoExitFits);
  follower.event(EventKind::Arrive, 0, 2, 20);
  follower.event(EventKind::Arrive, 0, 3, 20);
  follower.event(EventKind::Arrive, 0, 4, 20);  // two slots fit before 20, not three
  EXPECT_NE(follower.did(ActionKind::Refuse), nullptr);
  EXPECT_EQ(follower.state.tasks.size(), 2U);
}

TEST(Deadline, StartsTheDeepestExitThatKeepsTheOthers) {
  Follower follower;
  follower.with.remote_accuracy = -1;
  follower.event(EventKind::Arrive, 0, 1, 100);
  EXPECT_EQ(follower.did(ActionKind::StartLocal)->exit, 1);
  follower.event(EventKind::Arrive, 1, 2, 45);  // starts at 30, when only the fastest fits
  EXPECT_EQ(follower.did(ActionKind::StartLocal), nullptr);
  follower.event(EventKind::LocalDone, 30, 1);
  EXPECT_EQ(follower.did(ActionKind::StartLocal)->exit, 0);
}

TEST(Deadline, PausesAfterFailuresAndTriesOnce) {
  Follower follower;
  Nanoseconds now = 0;
  std::uint64_t task = 0;
  const auto arrives = [&] {
    ++task;
    follower.event(EventKind::Arrive, now, task, now + 100);
    const bool sent = follower.did(ActionKind::SendRemote) != nullptr;
    if (sent) follower.event(EventKind::RemoteFailed, now + 1, task);
    follower.event(EventKind::LocalDone, now + 40, task);
    now += 200;
    return sent;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(arrives());
  EXPECT_FALSE(arrives());
  now = follower.state.link.pause_end;
  EXPECT_TRUE(arrives());
  EXPECT_EQ(follower.state.link.pause, 2000);
  EXPECT_FALSE(arrives());
  now = follower.state.link.pause_end;
  follower.event(EventKind::Arrive, now, ++task, now + 100);
  follower.event(EventKind::RemoteAnswer, now + 5, task);
  EXPECT_EQ(follower.state.link.pause, 0);
}

TEST(Deadline, TriesTheAcceleratorAgainThenRefuses) {
  Follower follower;
  follower.with.remote_accuracy = -1;
  follower.event(EventKind::Arrive, 0, 1, 100);
  follower.event(EventKind::LocalFailed, 5, 1);
  EXPECT_NE(follower.did(ActionKind::StartLocal), nullptr);
  follower.event(EventKind::LocalFailed, 10, 1);
  ASSERT_NE(follower.did(ActionKind::Refuse), nullptr);
  EXPECT_EQ(follower.did(ActionKind::Refuse)->reason, RefuseReason::AcceleratorFailed);
}

}  // namespace
}  // namespace espalier::plan

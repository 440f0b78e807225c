// The deadline contract: a task goes remote only while a local exit whose time is known still fits behind it. That
// exit's answer is given if the better one does not come. A task for which no local exit fits is refused at once.
//
//   DeadlineState state;
//   Decision decision = decide(settings, std::move(state), {.kind = EventKind::Arrive, .now = t, .task = 1, ...});
//   state = std::move(decision.state);
//   for (const Action& action : decision.actions) ...   // the caller does as it is told, and reports events
//
// The accelerator is one resource without preemption. Every open task holds a slot on it for its fastest exit. Slots
// are laid out as late as possible, earliest deadline first, which is possible whenever any order is; the start of a
// slot is when the task stops waiting for the server. A slot given back lets the others start later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// Why a server's answer did not come or cannot be used.
enum class RemoteFailure { Unreachable, Late, Refused, Stale, Stranger, WrongAnswer };
const char* to_string(RemoteFailure failure);

/// An exit that runs on the accelerator in at most `bound`, from the start to the answer.
struct LocalExit {
  int exit = 0;
  Nanoseconds bound = 0;
  BasisPoints accuracy = 0;
};

struct DeadlineSettings {
  std::vector<LocalExit> local;           // at least one; bounds and accuracies ascend
  int remote_exit = 0;                    // what the server answers
  BasisPoints remote_accuracy = -1;       // below every local one: the server is not used
  Nanoseconds reaction = 0;               // from an event to the start of what is decided on it, at most
  std::size_t most_remote = 16;           // requests under way
  int failures_until_pause = 3;           // of the link, one after another
  Nanoseconds first_pause = 100'000'000;  // then the server is left alone; doubles with every failed attempt
  Nanoseconds longest_pause = 5'000'000'000;
};

/// What is known of the way to the server and back: mean and mean deviation of its time as TCP estimates them (Jacobson
/// and Karels, 1988).
struct LinkState {
  std::optional<Nanoseconds> mean;
  Nanoseconds deviation = 0;
  int failures = 0;           // one after another
  Nanoseconds pause = 0;      // the last one; 0: none since the last answer
  Nanoseconds pause_end = 0;  // nothing is sent before
};

enum class TaskPhase {
  Waiting,    // holds a slot
  Running,    // on the accelerator
  Unsecured,  // the accelerator has failed it; only the server can answer
};

struct OpenTask {
  std::uint64_t task = 0;
  Nanoseconds deadline = 0;
  TaskPhase phase = TaskPhase::Waiting;
  std::optional<Nanoseconds> sent;  // to the server, not answered yet
  int exit = 0;                     // index in DeadlineSettings::local of the running exit
  Nanoseconds until = 0;            // end of the running exit, by its bound
  int failures = 0;                 // of the accelerator
};

struct DeadlineState {
  std::vector<OpenTask> tasks;
  LinkState link;
};

enum class EventKind { Arrive, RemoteAnswer, RemoteFailed, LocalDone, LocalFailed, Timer };

struct Event {
  EventKind kind = EventKind::Timer;
  Nanoseconds now = 0;
  std::uint64_t task = 0;
  Nanoseconds deadline = 0;                            // Arrive: absolute
  RemoteFailure failure = RemoteFailure::Unreachable;  // RemoteFailed
};

enum class ActionKind {
  SendRemote,    // `when`: time until the deadline
  CancelRemote,  // its answer is not wanted any more
  StartLocal,    // `exit`
  CancelLocal,   // between two commands; no LocalDone follows
  Answer,        // with the answer that has just come
  Refuse,        // `reason`
  SetTimer,      // to `when`, absolute; replaces the one before
};

enum class Place { Local, Remote };
enum class RefuseReason { NoExitFits, AcceleratorFailed };

struct Action {
  ActionKind kind = ActionKind::SetTimer;
  std::uint64_t task = 0;
  Nanoseconds when = 0;
  int exit = 0;                // LocalExit::exit, or remote_exit
  Place place = Place::Local;  // Answer
  Nanoseconds slack = 0;       // Answer: time left until the deadline
  RefuseReason reason = RefuseReason::NoExitFits;
};

struct Decision {
  DeadlineState state;
  std::vector<Action> actions;
};

/// Events of tasks that are not open are ignored, so that no task is answered twice.
Decision decide(const DeadlineSettings& settings, DeadlineState state, const Event& event);

/// The time within which an answer of the server is expected; none before the first answer.
std::optional<Nanoseconds> expected_remote(const LinkState& link);

}  // namespace espalier::plan

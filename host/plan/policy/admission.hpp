// Which request a server takes, and which it runs next.
//
//   AdmissionState state;
//   Verdict verdict = admit({.capacity = 64, .workers = 1}, state, {.task = 7, .bound = 1000}, now);
//   if (verdict == Verdict::Accept) state.queue.push_back(...)   // admit() has done so
//   NextTask next = take_next(state, now);                       // for a worker that is free
//
// Earliest deadline first, as execution times are known; equal deadlines in the order of arrival. A request that cannot
// be answered in time, by bounds alone, is refused at once, and none is taken that would make an accepted one late (the
// windows of Clockwork, Gujarati et al., OSDI 2020, with proven instead of measured times).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

struct AdmissionLimits {
  std::size_t capacity = 64;  // waiting requests
  std::size_t workers = 1;    // at least 1
};

struct WaitingTask {
  std::uint64_t task = 0;
  Nanoseconds bound = 0;              // of its execution
  Nanoseconds deadline = Impossible;  // absolute; Impossible: none
};

struct RunningTask {
  std::uint64_t task = 0;
  Nanoseconds until = 0;  // by its bound
};

struct AdmissionState {
  std::vector<WaitingTask> queue;  // in the order of arrival
  std::vector<RunningTask> running;
  bool draining = false;
};

enum class Verdict { Accept, Full, Draining, Late };

/// Adds the task to the queue if it is accepted.
Verdict admit(const AdmissionLimits& limits, AdmissionState& state, const WaitingTask& task, Nanoseconds now);

struct NextTask {
  std::optional<std::uint64_t> start;  // none: nothing waits
  std::vector<std::uint64_t> late;     // dropped: they would end after their deadlines
};

/// Moves the next task from the queue to the running ones.
NextTask take_next(AdmissionState& state, Nanoseconds now);

/// Forgets a task that has ended, or that is no longer wanted while it waits.
void forget(AdmissionState& state, std::uint64_t task);

}  // namespace espalier::plan

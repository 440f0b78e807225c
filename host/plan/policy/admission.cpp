#include "plan/policy/admission.hpp"

#include <algorithm>

namespace espalier::plan {
namespace {

/// Positions of the queue, earliest deadline first.
std::vector<std::size_t> order_of(const std::vector<WaitingTask>& queue) {
  std::vector<std::size_t> order(queue.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return queue[a].deadline < queue[b].deadline; });
  return order;
}

/// When each waiting task ends at the latest, by position in the queue.
std::vector<Nanoseconds> ends_of(const std::vector<WaitingTask>& queue, const std::vector<RunningTask>& running,
                                 std::size_t workers, Nanoseconds now) {
  std::vector<Nanoseconds> free(std::max(workers, running.size()), now);
  for (std::size_t i = 0; i < running.size(); ++i) free[i] = std::max(now, running[i].until);
  std::vector<Nanoseconds> ends(queue.size());
  for (const std::size_t position : order_of(queue)) {
    const auto first = std::min_element(free.begin(), free.end());
    *first = add(*first, queue[position].bound);
    ends[position] = *first;
  }
  return ends;
}

}  // namespace

Verdict admit(const AdmissionLimits& limits, AdmissionState& state, const WaitingTask& task, Nanoseconds now) {
  if (state.draining) return Verdict::Draining;
  if (state.queue.size() >= limits.capacity) return Verdict::Full;
  const std::vector<Nanoseconds> before = ends_of(state.queue, state.running, limits.workers, now);
  state.queue.push_back(task);
  const std::vector<Nanoseconds> after = ends_of(state.queue, state.running, limits.workers, now);
  bool late = after.back() > task.deadline;
  for (std::size_t i = 0; i < before.size(); ++i)
    late = late || (before[i] <= state.queue[i].deadline && after[i] > state.queue[i].deadline);
  if (!late) return Verdict::Accept;
  state.queue.pop_back();
  return Verdict::Late;
}

NextTask take_next(AdmissionState& state, Nanoseconds now) {
  NextTask next;
  while (!state.queue.empty() && !next.start) {
    const std::size_t position = order_of(state.queue).front();
    const WaitingTask task = state.queue[position];
    state.queue.erase(state.queue.begin() + static_cast<std::ptrdiff_t>(position));
    const Nanoseconds end = add(now, task.bound);
    if (end > task.deadline) {
      next.late.push_back(task.task);
      continue;
    }
    state.running.push_back({task.task, end});
    next.start = task.task;
  }
  return next;
}

void forget(AdmissionState& state, std::uint64_t task) {
  std::erase_if(state.queue, [&](const WaitingTask& waiting) { return waiting.task == task; });
  std::erase_if(state.running, [&](const RunningTask& running) { return running.task == task; });
}

}  // namespace espalier::plan

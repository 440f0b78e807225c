#include "plan/policy/deadline.hpp"

#include <algorithm>
#include <utility>

namespace espalier::plan {
namespace {

constexpr int MostAttempts = 2;  // of the accelerator at one task

/// One decision in the making.
class Deciding {
 public:
  Deciding(const DeadlineSettings& settings, DeadlineState state, Nanoseconds now)
      : settings_(settings), state_(std::move(state)), now_(now) {}

  void arrive(std::uint64_t task, Nanoseconds deadline);
  void remote_answer(std::uint64_t task);
  void remote_failed(std::uint64_t task, RemoteFailure failure);
  void local_done(std::uint64_t task);
  void local_failed(std::uint64_t task);
  Decision finish();

 private:
  OpenTask* find(std::uint64_t task);
  void close(std::uint64_t task);
  void answer(const OpenTask& task, Place place, int exit);
  void refuse(const OpenTask& task, RefuseReason reason);
  bool running() const;
  Nanoseconds cost(std::size_t exit) const { return add(settings_.local[exit].bound, settings_.reaction); }
  struct Slot {
    std::uint64_t task;
    Nanoseconds start;
  };
  std::vector<Slot> slots(const std::vector<OpenTask>& tasks) const;
  Nanoseconds latest_start(std::uint64_t task) const;
  bool fits(const std::vector<OpenTask>& tasks, Nanoseconds free) const;
  Nanoseconds free_at() const;
  std::optional<std::size_t> deepest(const OpenTask& task, Nanoseconds start) const;
  bool wants_remote(const OpenTask& task) const;
  bool hopeful(const OpenTask& task);
  void failed_attempt(bool definite);
  void sample(Nanoseconds time);
  void start_local();
  void expire();

  const DeadlineSettings& settings_;
  DeadlineState state_;
  Nanoseconds now_;
  std::vector<Action> actions_;
};

OpenTask* Deciding::find(std::uint64_t task) {
  for (OpenTask& open : state_.tasks)
    if (open.task == task) return &open;
  return nullptr;
}

void Deciding::close(std::uint64_t task) {
  std::erase_if(state_.tasks, [&](const OpenTask& open) { return open.task == task; });
}

bool Deciding::running() const {
  return std::any_of(state_.tasks.begin(), state_.tasks.end(),
                     [](const OpenTask& task) { return task.phase == TaskPhase::Running; });
}

Nanoseconds Deciding::free_at() const {
  Nanoseconds free = now_;
  for (const OpenTask& task : state_.tasks)
    if (task.phase == TaskPhase::Running) free = std::max(free, task.until);
  return free;
}

// Slots end as late as possible: the last deadline first, each before the start of the one behind it.
std::vector<Deciding::Slot> Deciding::slots(const std::vector<OpenTask>& tasks) const {
  std::vector<const OpenTask*> waiting;
  for (const OpenTask& task : tasks)
    if (task.phase == TaskPhase::Waiting) waiting.push_back(&task);
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const OpenTask* a, const OpenTask* b) { return a->deadline > b->deadline; });
  std::vector<Slot> slots;
  Nanoseconds start = Impossible;
  for (const OpenTask* task : waiting) {
    start = std::min(start, task->deadline) - cost(0);
    slots.push_back({task->task, start});
  }
  return slots;
}

Nanoseconds Deciding::latest_start(std::uint64_t task) const {
  for (const Slot& slot : slots(state_.tasks))
    if (slot.task == task) return slot.start;
  return Impossible;
}

bool Deciding::fits(const std::vector<OpenTask>& tasks, Nanoseconds free) const {
  const std::vector<Slot> all = slots(tasks);
  return all.empty() || all.back().start >= free;
}

/// The deepest exit that the task can run from `start` on, so that it and all the others still hold.
std::optional<std::size_t> Deciding::deepest(const OpenTask& task, Nanoseconds start) const {
  std::vector<OpenTask> others = state_.tasks;
  std::erase_if(others, [&](const OpenTask& open) { return open.task == task.task; });
  for (std::size_t exit = settings_.local.size(); exit-- > 0;) {
    const Nanoseconds end = add(start, cost(exit));
    if (end <= task.deadline && fits(others, end)) return exit;
  }
  return {};
}

bool Deciding::wants_remote(const OpenTask& task) const {
  const std::size_t under_way = static_cast<std::size_t>(std::count_if(
      state_.tasks.begin(), state_.tasks.end(), [](const OpenTask& open) { return open.sent.has_value(); }));
  if (under_way >= settings_.most_remote || now_ < state_.link.pause_end) return false;
  const std::optional<std::size_t> local = deepest(task, free_at());
  if (local && settings_.local[*local].accuracy >= settings_.remote_accuracy) return false;
  if (settings_.remote_accuracy <= settings_.local.front().accuracy) return false;
  if (state_.link.pause > 0) return under_way == 0;  // one attempt after a pause
  return latest_start(task.task) > now_;
}

/// Whether the server is expected to answer before the task's slot; a pause follows if not, and then one attempt.
bool Deciding::hopeful(const OpenTask& task) {
  LinkState& link = state_.link;
  if (link.pause > 0 || expected_remote(link).value_or(0) <= latest_start(task.task) - now_) return true;
  link.pause = settings_.first_pause;
  link.pause_end = add(now_, link.pause);
  return false;
}

void Deciding::failed_attempt(bool definite) {
  LinkState& link = state_.link;
  ++link.failures;
  const bool again = link.pause > 0;  // the attempt after a pause has failed, too
  if (!definite && !again && link.failures < settings_.failures_until_pause) return;
  if (now_ < link.pause_end) return;  // a request from before the pause
  link.pause = std::clamp(times(link.pause, 2), settings_.first_pause, settings_.longest_pause);
  link.pause_end = add(now_, link.pause);
}

void Deciding::sample(Nanoseconds time) {
  LinkState& link = state_.link;
  if (!link.mean) {
    link.mean = time;
    link.deviation = time / 16;
    return;
  }
  const Nanoseconds error = time - *link.mean;
  link.mean = *link.mean + error / 8;
  link.deviation += ((error < 0 ? -error : error) - link.deviation) / 4;
}

void Deciding::answer(const OpenTask& task, Place place, int exit) {
  const OpenTask open = task;
  if (open.sent && place == Place::Local) {
    // The server was slower than this; its time is at least what has passed.
    sample(now_ - *open.sent);
    failed_attempt(false);
    actions_.push_back({.kind = ActionKind::CancelRemote, .task = open.task});
  }
  if (open.phase == TaskPhase::Running && place == Place::Remote)
    actions_.push_back({.kind = ActionKind::CancelLocal, .task = open.task});
  actions_.push_back({.kind = ActionKind::Answer,
                      .task = open.task,
                      .when = now_,
                      .exit = exit,
                      .place = place,
                      .slack = open.deadline - now_});
  close(open.task);
}

void Deciding::refuse(const OpenTask& task, RefuseReason reason) {
  if (task.sent) actions_.push_back({.kind = ActionKind::CancelRemote, .task = task.task});
  actions_.push_back({.kind = ActionKind::Refuse, .task = task.task, .when = now_, .reason = reason});
  close(std::uint64_t{task.task});
}

void Deciding::arrive(std::uint64_t task, Nanoseconds deadline) {
  if (find(task) != nullptr) return;
  state_.tasks.push_back({.task = task, .deadline = deadline, .sent = {}});
  if (!fits(state_.tasks, free_at())) return refuse(state_.tasks.back(), RefuseReason::NoExitFits);
  OpenTask& open = state_.tasks.back();
  if (!wants_remote(open) || !hopeful(open)) return;
  open.sent = now_;
  actions_.push_back({.kind = ActionKind::SendRemote,
                      .task = task,
                      .when = deadline - now_,
                      .exit = settings_.remote_exit,
                      .place = Place::Remote});
}

void Deciding::remote_answer(std::uint64_t task) {
  const OpenTask* open = find(task);
  if (open == nullptr || !open->sent) return;
  if (state_.link.pause > 0) state_.link.mean.reset();  // what was before the pause says little
  sample(now_ - *open->sent);
  state_.link.failures = 0;
  state_.link.pause = 0;
  state_.link.pause_end = 0;
  answer(*open, Place::Remote, settings_.remote_exit);
}

void Deciding::remote_failed(std::uint64_t task, RemoteFailure failure) {
  OpenTask* open = find(task);
  if (open == nullptr || !open->sent) return;
  open->sent.reset();
  failed_attempt(failure == RemoteFailure::Stale || failure == RemoteFailure::Stranger ||
                 failure == RemoteFailure::WrongAnswer);
  if (open->phase == TaskPhase::Unsecured) refuse(*open, RefuseReason::AcceleratorFailed);
}

void Deciding::local_done(std::uint64_t task) {
  const OpenTask* open = find(task);
  if (open == nullptr || open->phase != TaskPhase::Running) return;
  answer(*open, Place::Local, settings_.local[static_cast<std::size_t>(open->exit)].exit);
}

void Deciding::local_failed(std::uint64_t task) {
  OpenTask* open = find(task);
  if (open == nullptr || open->phase != TaskPhase::Running) return;
  open->phase = TaskPhase::Waiting;
  if (++open->failures < MostAttempts && fits(state_.tasks, now_)) return;
  open->phase = TaskPhase::Unsecured;
  if (!open->sent) refuse(*open, RefuseReason::AcceleratorFailed);
}

/// What waits for no server, and what cannot wait any longer, earliest deadline first.
void Deciding::start_local() {
  if (running()) return;
  std::vector<OpenTask*> candidates;
  for (OpenTask& task : state_.tasks)
    if (task.phase == TaskPhase::Waiting && (!task.sent || latest_start(task.task) <= now_))
      candidates.push_back(&task);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const OpenTask* a, const OpenTask* b) { return a->deadline < b->deadline; });
  for (OpenTask* task : candidates) {
    std::optional<std::size_t> exit = deepest(*task, now_);
    // A timer that came late has used up some of the reaction time, which is what that is for.
    if (!exit && latest_start(task->task) <= now_) exit = 0;
    if (!exit) continue;
    task->phase = TaskPhase::Running;
    task->exit = static_cast<int>(*exit);
    task->until = add(now_, cost(*exit));
    actions_.push_back({.kind = ActionKind::StartLocal, .task = task->task, .exit = settings_.local[*exit].exit});
    return;
  }
}

/// Waiting tasks that were not started in time, which only a caller that reports its timer late can cause, and
/// unsecured ones at their deadlines.
void Deciding::expire() {
  std::vector<OpenTask> gone;
  for (const OpenTask& task : state_.tasks) {
    const bool lost =
        !running() && task.phase == TaskPhase::Waiting && add(now_, settings_.local.front().bound) > task.deadline;
    if (lost || (task.phase == TaskPhase::Unsecured && now_ >= task.deadline)) gone.push_back(task);
  }
  for (const OpenTask& task : gone)
    refuse(task, task.phase == TaskPhase::Waiting ? RefuseReason::NoExitFits : RefuseReason::AcceleratorFailed);
}

Decision Deciding::finish() {
  expire();
  start_local();
  Nanoseconds next = Impossible;
  for (const OpenTask& task : state_.tasks) {
    const Nanoseconds start = task.phase == TaskPhase::Waiting ? latest_start(task.task) : Impossible;
    // A slot that has come while the accelerator works is looked at again when that ends.
    if (!running() || start > now_) next = std::min(next, start);
    if (task.phase == TaskPhase::Unsecured) next = std::min(next, task.deadline);
  }
  if (next < Impossible) actions_.push_back({.kind = ActionKind::SetTimer, .when = std::max(next, now_)});
  return {std::move(state_), std::move(actions_)};
}

}  // namespace

const char* to_string(RemoteFailure failure) {
  switch (failure) {
    case RemoteFailure::Unreachable:
      return "unreachable";
    case RemoteFailure::Late:
      return "late";
    case RemoteFailure::Refused:
      return "refused";
    case RemoteFailure::Stale:
      return "stale";
    case RemoteFailure::Stranger:
      return "stranger";
    case RemoteFailure::WrongAnswer:
      return "wrong_answer";
  }
  return "unreachable";
}

std::optional<Nanoseconds> expected_remote(const LinkState& link) {
  if (!link.mean) return {};
  return add(*link.mean, times(link.deviation, 4));
}

Decision decide(const DeadlineSettings& settings, DeadlineState state, const Event& event) {
  Deciding deciding(settings, std::move(state), event.now);
  switch (event.kind) {
    case EventKind::Arrive:
      deciding.arrive(event.task, event.deadline);
      break;
    case EventKind::RemoteAnswer:
      deciding.remote_answer(event.task);
      break;
    case EventKind::RemoteFailed:
      deciding.remote_failed(event.task, event.failure);
      break;
    case EventKind::LocalDone:
      deciding.local_done(event.task);
      break;
    case EventKind::LocalFailed:
      deciding.local_failed(event.task);
      break;
    case EventKind::Timer:
      break;
  }
  return deciding.finish();
}

}  // namespace espalier::plan

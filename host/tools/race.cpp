#include "race.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "esp_error.hpp"

namespace espalier::tools {

using plan::Nanoseconds;

Nanoseconds steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Race::Race(remote::Client& client, run::Session& session, plan::DeadlineSettings settings)
    : client_(&client), session_(&session), contract_(std::move(settings), actions()) {}

Race::~Race() {
  stop_local();
  client_->cancel(ticket_);
  // An answer that is not wanted any more still comes to this object.
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return under_way_ == 0; });
}

Served Race::run(const RaceTask& task, Nanoseconds deadline) {
  asked_ = task;
  served_ = {};
  ended_ = false;
  refused_.reset();
  timer_ = plan::Impossible;
  ++task_;
  const Nanoseconds start = steady_now();
  contract_.handle({.kind = plan::EventKind::Arrive, .now = start, .task = task_, .deadline = deadline});
  while (!ended_) {
    Happened happened = next();
    if (happened.task != task_) continue;
    if (happened.reply) served_.reply = std::move(happened.reply);
    if (!happened.outputs.empty()) local_outputs_ = std::move(happened.outputs);
    contract_.handle({.kind = happened.kind, .now = steady_now(), .task = task_, .failure = happened.failure});
  }
  stop_local();
  if (!refused_) return std::move(served_);
  if (*refused_ == plan::RefuseReason::AcceleratorFailed)
    throw Error(ErrorCode::Device, "the device has failed, and the server did not answer", task.name, {}, "try again");
  throw Error(ErrorCode::Timeout, "no local exit fits before the deadline", task.name,
              fmt::format("{} ns", deadline - start), "give a later --deadline");
}

void Race::post(Happened happened) {
  const std::scoped_lock lock(mutex_);
  events_.push_back(std::move(happened));
  changed_.notify_all();
}

Race::Happened Race::next() {
  std::unique_lock lock(mutex_);
  while (events_.empty()) {
    const Nanoseconds left = timer_ - steady_now();
    if (left <= 0) {
      timer_ = plan::Impossible;
      return {.task = task_, .reply = {}, .outputs = {}};
    }
    changed_.wait_for(lock, std::chrono::nanoseconds(std::min<Nanoseconds>(left, 1'000'000'000)));
  }
  Happened happened = std::move(events_.front());
  events_.pop_front();
  return happened;
}

void Race::send(const plan::Action& action) {
  asked_.request.budget = action.when;
  {
    const std::scoped_lock lock(mutex_);
    ++under_way_;
  }
  ticket_ = client_->send(asked_.request, [this, task = action.task](remote::Reply reply) {
    const bool failed = reply.failure.has_value();
    const plan::RemoteFailure failure = reply.failure.value_or(plan::RemoteFailure::Unreachable);
    post({failed ? plan::EventKind::RemoteFailed : plan::EventKind::RemoteAnswer, task, failure, std::move(reply), {}});
    const std::scoped_lock lock(mutex_);
    --under_way_;
    changed_.notify_all();
  });
}

void Race::start_local(const plan::Action& action) {
  stop_local();
  stop_ = false;
  local_ = std::thread([this, task = action.task] {
    try {
      const std::optional<run::RunReport> report = session_->run(asked_.local_inputs, [this] { return stop_.load(); });
      if (report) post({.kind = plan::EventKind::LocalDone, .task = task, .reply = {}, .outputs = report->outputs});
    } catch (const std::exception&) {
      post({.kind = plan::EventKind::LocalFailed, .task = task, .reply = {}, .outputs = {}});
    }
  });
}

void Race::stop_local() {
  stop_ = true;
  if (local_.joinable()) local_.join();
}

void Race::answer(const plan::Action& action) {
  served_.remote = action.place == plan::Place::Remote;
  served_.exit = action.exit;
  served_.slack = action.slack;
  served_.outputs = served_.remote ? served_.reply->outputs : std::move(local_outputs_);
  ended_ = true;
}

run::ContractActions Race::actions() {
  return {.send_remote = [this](const plan::Action& action) { send(action); },
          .cancel_remote = [this](const plan::Action&) { client_->cancel(ticket_); },
          .start_local = [this](const plan::Action& action) { start_local(action); },
          .cancel_local = [this](const plan::Action&) { stop_local(); },
          .answer = [this](const plan::Action& action) { answer(action); },
          .refuse =
              [this](const plan::Action& action) {
                refused_ = action.reason;
                ended_ = true;
              },
          .set_timer = [this](const plan::Action& action) { timer_ = action.when; }};
}

}  // namespace espalier::tools

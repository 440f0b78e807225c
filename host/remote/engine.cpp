#include "remote/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <future>
#include <utility>

#include "esp_error.hpp"
#include "run/executable_file.hpp"

namespace espalier::remote {

struct Engine::Worker {
  std::unique_ptr<driver::Bus> bus;
  driver::Device device;
  std::map<VersionPtr, std::unique_ptr<run::Session>> sessions;
  std::deque<std::packaged_task<void()>> preparations;
  std::thread thread;

  explicit Worker(std::unique_ptr<driver::Bus> given) : bus(std::move(given)), device(*bus) {}
};

namespace {

Nanoseconds steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::vector<std::vector<float>> zeros(const run::Ports& ports) {
  std::vector<std::vector<float>> values;
  for (const compress::Input& port : ports.inputs)
    values.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)), 0.0F);
  return values;
}

Refusal refusal_of(const Error& error) {
  return {error.code() == ErrorCode::Input ? Failure::Invalid : Failure::Device, error.what()};
}

Refusal refusal_of(plan::Verdict verdict) {
  switch (verdict) {
    case plan::Verdict::Full:
      return {Failure::Full, "the queue is full"};
    case plan::Verdict::Draining:
      return {Failure::Draining, "the server is ending"};
    default:
      return {Failure::Late, "the deadline cannot be met"};
  }
}

}  // namespace

const char* to_string(Failure failure) {
  switch (failure) {
    case Failure::NotFound:
      return "not_found";
    case Failure::Invalid:
      return "invalid";
    case Failure::Full:
      return "full";
    case Failure::Draining:
      return "draining";
    case Failure::Late:
      return "late";
    case Failure::Cancelled:
      return "cancelled";
    case Failure::Device:
      return "device";
  }
  return "device";
}

std::string plan_id(const run::Executable& executable) {
  const std::vector<std::uint8_t> bytes = run::serialise(executable);
  std::uint64_t checksum = 0;  // the file ends with it, little-endian
  for (std::size_t i = 0; i < 8; ++i) checksum = checksum << 8 | bytes[bytes.size() - 1 - i];
  return fmt::format("{:016x}", checksum);
}

Engine::Engine(std::vector<std::unique_ptr<driver::Bus>> buses, EngineSettings settings)
    : settings_(std::move(settings)), cache_(settings_.cache_bytes) {
  if (!settings_.now) settings_.now = steady_now;
  for (std::unique_ptr<driver::Bus>& bus : buses) workers_.push_back(std::make_unique<Worker>(std::move(bus)));
  for (const std::unique_ptr<Worker>& worker : workers_)
    worker->thread = std::thread([this, &worker] { work(*worker); });
}

Engine::~Engine() {
  drain(std::chrono::milliseconds(0));
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (const std::unique_ptr<Worker>& worker : workers_) worker->thread.join();
}

void Engine::prepare(const VersionPtr& version) {
  std::vector<std::future<void>> ready;
  {
    const std::scoped_lock lock(mutex_);
    for (const std::unique_ptr<Worker>& worker : workers_) {
      std::packaged_task<void()> task([this, &worker, version] {
        auto session = std::make_unique<run::Session>(
            worker->device, version->executable, run::Settings{settings_.device, settings_.memory, settings_.limits});
        session->run(zeros(version->executable.ports));
        worker->sessions[version] = std::move(session);
      });
      ready.push_back(task.get_future());
      worker->preparations.push_back(std::move(task));
    }
  }
  changed_.notify_all();
  for (std::future<void>& one : ready) one.wait();
  for (std::future<void>& one : ready) one.get();
}

std::shared_ptr<Version> Engine::make_version(const std::string& model, run::Executable executable,
                                              const std::optional<Nanoseconds>& bound) const {
  auto version = std::make_shared<Version>();
  version->model = model;
  version->plan_id = plan_id(executable);
  version->cycles = run::predicted_report(executable, settings_.device, settings_.memory).totals.predicted_cycles;
  const double time =
      bound ? static_cast<double>(*bound) : static_cast<double>(version->cycles) * 1000.0 / settings_.clock_mhz;
  version->bound = static_cast<Nanoseconds>(std::ceil(time * settings_.dilation));
  version->executable = std::move(executable);
  return version;
}

VersionPtr Engine::load(const std::string& model, run::Executable executable, Divisible divisible) {
  const std::scoped_lock loading(loading_);
  const std::shared_ptr<Version> version = make_version(model, std::move(executable), {});
  version->network_id = divisible.network_id;
  {
    const std::scoped_lock lock(mutex_);
    version->version = std::to_string(++serving_[model].loads);
  }
  try {
    prepare(version);
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    if (serving_[model].active == nullptr) serving_.erase(model);
    throw;
  }
  {
    const std::scoped_lock lock(mutex_);
    Serving& serving = serving_[model];
    serving.previous = std::exchange(serving.active, version);
    if (divisible.make) parts_[version] = {std::move(divisible), {}};
    forget_parts();
  }
  changed_.notify_all();
  return version;
}

std::optional<plan::SimilarityKey> Engine::key_of(const Call& call) const {
  // What crosses between parts is not known to be similar in effect.
  if (settings_.cache_bytes == 0 || !call.version->part.empty()) return {};
  std::vector<float> all;
  for (const std::vector<float>& values : call.inputs) all.insert(all.end(), values.begin(), values.end());
  return plan::similarity_key(all, settings_.cache_key);
}

std::optional<Answer> Engine::remembered(const Call& call, const plan::SimilarityKey& key) {
  const plan::CachedResult* found = cache_.find(call.version->plan_id, key);
  if (found == nullptr) return {};
  Answer answer;
  answer.version = call.version;
  answer.cached = true;
  auto value = found->begin();
  for (const compress::Output& port : call.version->executable.ports.outputs) {
    const auto size = static_cast<std::ptrdiff_t>(model::count_elements(port.shape, port.name));
    answer.report.outputs.push_back({port.name, run::type_name(port.type), port.shape, {value, value + size}});
    value += size;
  }
  ModelCounts& counts = counts_[call.version->model];
  ++counts.outcomes["ok"];
  ++counts.cached;
  return answer;
}

std::uint64_t Engine::submit(Call call) {
  std::optional<Refusal> refused;
  std::optional<Answer> known;
  std::optional<plan::SimilarityKey> key = key_of(call);
  std::uint64_t ticket = 0;
  {
    const std::scoped_lock lock(mutex_);
    ticket = ++tickets_;
    if (key && !admission_.draining) known = remembered(call, *key);
  }
  if (known) {
    call.done(std::move(*known));
    return ticket;
  }
  {
    const std::scoped_lock lock(mutex_);
    Pending pending;
    pending.arrival = now();
    if (call.budget) pending.deadline = plan::add(pending.arrival, *call.budget);
    const plan::WaitingTask task{ticket, call.version->bound, pending.deadline.value_or(plan::Impossible)};
    const plan::Verdict verdict = plan::admit({settings_.capacity, workers_.size()}, admission_, task, pending.arrival);
    if (verdict == plan::Verdict::Accept) {
      pending.call = std::move(call);
      pending.key = std::move(key);
      pending_.emplace(ticket, std::move(pending));
    } else {
      refused = refusal_of(verdict);
      ++counts_[call.version->model].outcomes[to_string(refused->failure)];
    }
  }
  if (refused) {
    call.done(*refused);
  } else {
    changed_.notify_all();
  }
  return ticket;
}

Engine::Ended Engine::end(std::uint64_t ticket, Result result) {
  const auto found = pending_.find(ticket);
  plan::forget(admission_, ticket);
  ModelCounts& counts = counts_[found->second.call.version->model];
  if (const Answer* answer = std::get_if<Answer>(&result)) {
    if (const std::optional<plan::SimilarityKey>& key = found->second.key) {
      plan::CachedResult values;
      for (const run::Output& output : answer->report.outputs)
        values.insert(values.end(), output.values.begin(), output.values.end());
      cache_.put(answer->version->plan_id, *key, std::move(values));
    }
    ++counts.outcomes["ok"];
    ++counts.executions;
    counts.executed += answer->executed;
    counts.waited += answer->waited;
  } else {
    ++counts.outcomes[to_string(std::get<Refusal>(result).failure)];
  }
  Ended ended{std::move(found->second.call.done), std::move(result)};
  pending_.erase(found);
  return ended;
}

void Engine::cancel(std::uint64_t ticket) {
  std::optional<Ended> ended;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return;
    found->second.stop->store(true);
    const bool waits = std::erase_if(admission_.queue, [&](const auto& task) { return task.task == ticket; }) != 0;
    if (waits) ended = end(ticket, Refusal{Failure::Cancelled, "cancelled while it waited"});
  }
  changed_.notify_all();
  if (ended) ended->done(std::move(ended->result));
}

void Engine::count(const std::string& model, Failure failure) {
  const std::scoped_lock lock(mutex_);
  ++counts_[serving_.contains(model) ? model : std::string()].outcomes[to_string(failure)];
}

bool Engine::drain(std::chrono::milliseconds grace) {
  std::vector<Ended> ended;
  bool clean = false;
  {
    std::unique_lock lock(mutex_);
    admission_.draining = true;
    changed_.notify_all();
    clean = changed_.wait_for(lock, grace, [this] { return pending_.empty(); });
    while (!admission_.queue.empty())
      ended.push_back(end(admission_.queue.front().task, Refusal{Failure::Draining, "the server is ending"}));
    for (const auto& [ticket, pending] : pending_) pending.stop->store(true);
  }
  changed_.notify_all();
  for (Ended& one : ended) one.done(std::move(one.result));
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return pending_.empty(); });
  return clean;
}

bool Engine::draining() const {
  const std::scoped_lock lock(mutex_);
  return admission_.draining;
}

Counts Engine::counts() const {
  const std::scoped_lock lock(mutex_);
  Counts counts;
  counts.models = counts_;
  for (const auto& [name, serving] : serving_) {
    if (serving.active == nullptr) continue;
    counts.models[name].version = serving.active->version;
    counts.models[name].bound = serving.active->bound;
  }
  counts.queued = admission_.queue.size();
  counts.running = admission_.running.size();
  counts.capacity = settings_.capacity;
  counts.draining = admission_.draining;
  return counts;
}

void Engine::work(Worker& worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !worker.preparations.empty() || !admission_.queue.empty(); });
    if (!worker.preparations.empty()) {
      std::packaged_task<void()> task = std::move(worker.preparations.front());
      worker.preparations.pop_front();
      lock.unlock();
      task();
      lock.lock();
      continue;
    }
    if (stopping_) return;
    std::erase_if(worker.sessions, [this](const auto& entry) { return !in_service(entry.first); });
    const Nanoseconds start = now();
    const plan::NextTask next = plan::take_next(admission_, start);
    std::vector<Ended> ended;
    for (const std::uint64_t late : next.late)
      ended.push_back(end(late, Refusal{Failure::Late, "the deadline cannot be met any more"}));
    const Pending* pending = next.start ? &pending_.at(*next.start) : nullptr;
    lock.unlock();
    for (Ended& one : ended) one.done(std::move(one.result));
    if (pending != nullptr) execute(worker, *next.start, *pending, start);
    changed_.notify_all();
    lock.lock();
  }
}

// The entry of a running call stays where it is until end(): only its worker ends it.
void Engine::execute(Worker& worker, std::uint64_t ticket, const Pending& pending, Nanoseconds start) {
  Result result = run(worker, pending, start);
  std::unique_lock lock(mutex_);
  Ended ended = end(ticket, std::move(result));
  lock.unlock();
  ended.done(std::move(ended.result));
}

Result Engine::run(Worker& worker, const Pending& pending, Nanoseconds start) {
  const VersionPtr& version = pending.call.version;
  const auto late = [&] { return pending.deadline && now() > *pending.deadline; };
  try {
    std::unique_ptr<run::Session>& session = worker.sessions[version];
    if (session == nullptr)
      session = std::make_unique<run::Session>(worker.device, version->executable,
                                               run::Settings{settings_.device, settings_.memory, settings_.limits});
    std::optional<run::RunReport> report =
        session->run(pending.call.inputs, [&] { return pending.stop->load() || late(); });
    if (report && settings_.paced) pace(pending, plan::add(start, version->bound));
    if (pending.stop->load()) return Refusal{Failure::Cancelled, "cancelled while it ran"};
    if (!report || late()) return Refusal{Failure::Late, "the deadline has passed"};
    return Answer{version, std::move(*report), start - pending.arrival, now() - start};
  } catch (const Error& error) {
    return refusal_of(error);
  } catch (const std::exception& error) {
    return Refusal{Failure::Device, error.what()};
  }
}

void Engine::pace(const Pending& pending, Nanoseconds until) {
  std::unique_lock lock(mutex_);
  while (!pending.stop->load()) {
    const Nanoseconds left = until - now();
    if (left <= 0) return;
    changed_.wait_for(lock, std::chrono::nanoseconds(left));
  }
}

}  // namespace espalier::remote

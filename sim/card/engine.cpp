#include "card/engine.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>

#include "esp_error.hpp"

namespace espalier::card {

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Engine::ensure_thread() {
  if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
}

void Engine::enqueue(std::function<void(Machine*)> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  ensure_thread();
  work_.notify_all();
}

void Engine::post(Task task) {
  enqueue([task = std::move(task)](Machine* machine) {
    if (machine == nullptr) return;
    try {
      task(*machine);
    } catch (...) {
      // Nobody waits for the outcome.
    }
  });
}

void Engine::call(const Task& task) {
  std::promise<void> promise;
  auto result = promise.get_future();
  enqueue([&](Machine* machine) {
    try {
      if (machine == nullptr) {
        throw Error(ErrorCode::Device, "no image is loaded", "simulated card", {}, "load an image first");
      }
      task(*machine);
      promise.set_value();
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  });
  result.get();
}

void Engine::install(std::unique_ptr<Machine> machine) {
  // The old machine is destroyed in the thread that ran it.
  std::promise<void> promise;
  auto result = promise.get_future();
  {
    const std::lock_guard lock(mutex_);
    ensure_thread();
    install_ = [&] {
      machine_ = std::move(machine);
      promise.set_value();
    };
    work_.notify_all();
  }
  result.get();
}

void Engine::submit(Job job) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(job));
  ensure_thread();
  work_.notify_all();
}

bool Engine::abort(std::uint64_t id) {
  std::unique_lock lock(mutex_);
  const auto queued = std::find_if(queue_.begin(), queue_.end(), [&](const Job& job) { return job.id == id; });
  if (queued != queue_.end()) {
    const Job job = std::move(*queued);
    queue_.erase(queued);
    lock.unlock();
    job.ended(JobEnd::Aborted);
    return true;
  }
  if (!running_ || running_->id != id) return false;
  abort_running_ = true;
  work_.notify_all();
  return true;
}

bool Engine::idle() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && !running_;
}

void Engine::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (install_) {
      const auto install = std::exchange(install_, nullptr);
      lock.unlock();
      install();
      lock.lock();
    }
    bool worked = run_tasks(lock);
    worked = start_job(lock) || worked;
    worked = advance(lock) || worked;
    if (worked || stop_ || !tasks_.empty() || install_) continue;
    if (running_ || !queue_.empty()) {
      // A run that waits for ever is looked at again now and then, and so is a machine that was started by hand.
      work_.wait_for(lock, std::chrono::milliseconds(1));
    } else {
      work_.wait(lock);
    }
  }
}

bool Engine::run_tasks(std::unique_lock<std::mutex>& lock) {
  if (tasks_.empty()) return false;
  const auto tasks = std::exchange(tasks_, {});
  lock.unlock();
  for (const auto& task : tasks) task(machine_.get());
  lock.lock();
  return true;
}

bool Engine::start_job(std::unique_lock<std::mutex>& lock) {
  if (running_ || queue_.empty() || !machine_ || machine_->busy()) return false;
  running_ = std::move(queue_.front());
  queue_.pop_front();
  abort_running_ = false;
  lock.unlock();
  bool started = true;
  try {
    if (running_->before) running_->before(*machine_);
    driver::Bus& bus = machine_->bus();
    for (const auto& [offset, value] : running_->registers) bus.write_register(offset, value);
    bus.write_register(abi::RegControl, 1);
  } catch (...) {
    started = false;
  }
  lock.lock();
  if (!started) end_job(lock, JobEnd::Failed);
  return true;
}

/// One batch, if there is anything to run. Started by hand, the machine is advanced as well.
bool Engine::advance(std::unique_lock<std::mutex>& lock) {
  if (!machine_) return false;
  const bool job = running_.has_value();
  const bool abort = job && abort_running_;
  lock.unlock();
  bool progress = false, busy = false;
  try {
    if (abort) machine_->bus().reset();
    if (machine_->busy()) progress = machine_->advance();
    busy = machine_->busy();
  } catch (...) {
    lock.lock();
    if (job) end_job(lock, JobEnd::Failed);
    return job;
  }
  lock.lock();
  if (!job || busy) return progress;
  end_job(lock, abort ? JobEnd::Aborted : JobEnd::Completed);
  return true;
}

void Engine::end_job(std::unique_lock<std::mutex>& lock, JobEnd end) {
  const Job job = std::move(*running_);
  running_.reset();
  lock.unlock();
  try {
    if (job.after && end == JobEnd::Completed) job.after(*machine_);
    if (end == JobEnd::Completed) machine_->bus().read_register(abi::RegControl);  // reading clears done
  } catch (...) {
    end = JobEnd::Failed;
  }
  job.ended(end);
  lock.lock();
}

}  // namespace espalier::card

// The thread that owns a card's machine: clocks it, runs the jobs queued for it, and serves accesses between batches.
//
// No caller ever waits for the end of a run, only for the end of a batch: the lock guards bookkeeping and is not held
// while the model runs, because a loaded machine would starve the callers otherwise.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "card/machine.hpp"

namespace espalier::card {

enum class JobEnd { Completed, Aborted, Failed };

/// One start of the machine.
struct Job {
  std::uint64_t id = 0;                                            // chosen by the caller, unique
  std::vector<std::pair<std::uint32_t, std::uint32_t>> registers;  // offset, value; written before the start
  std::function<void(Machine&)> before;                            // in the engine's thread, before and after the run
  std::function<void(Machine&)> after;
  std::function<void(JobEnd)> ended;  // in the engine's thread, once
};

class Engine {
 public:
  using Task = std::function<void(Machine&)>;

  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// Exchanges the machine; the caller has made sure that nothing runs.
  void install(std::unique_ptr<Machine> machine);

  /// Runs a task between batches and returns when it has run; exceptions of the task are thrown here. Throws
  /// espalier::Error (Device) if no machine is installed.
  void call(const Task& task);

  /// Runs a task between batches, later. Its exceptions are dropped, and so is the task if no machine is installed.
  void post(Task task);

  void submit(Job job);

  /// Ends a job as Aborted: a queued one is taken out, for a running one the machine is reset. False: no such job.
  bool abort(std::uint64_t id);

  /// No job is queued or running.
  bool idle();

 private:
  void enqueue(std::function<void(Machine*)> task);
  void ensure_thread();
  void loop();
  bool run_tasks(std::unique_lock<std::mutex>& lock);
  bool start_job(std::unique_lock<std::mutex>& lock);
  bool advance(std::unique_lock<std::mutex>& lock);
  void end_job(std::unique_lock<std::mutex>& lock, JobEnd end);

  std::mutex mutex_;
  std::condition_variable work_;
  std::thread thread_;
  bool stop_ = false;
  std::unique_ptr<Machine> machine_;                 // touched by the engine's thread only
  std::deque<std::function<void(Machine*)>> tasks_;  // nullptr: no machine is installed
  std::function<void()> install_;
  std::deque<Job> queue_;
  std::optional<Job> running_;
  bool abort_running_ = false;
};

}  // namespace espalier::card

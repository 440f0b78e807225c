// The machines here as runners of parts: the accelerator and the CPU, with a thread each.
//
//   AcceleratorRunner device_runner(device, array, {.compile = options, .device = {"rtl", memory, limits}});
//   HostRunner cpu_runner;
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "compile/compile.hpp"
#include "cpu/executor.hpp"
#include "espalier/driver/device.hpp"
#include "run/shared_session.hpp"

namespace espalier::run {

/// One thread and what it has to do, in order.
class Worker {
 public:
  Worker();
  /// Does what it has been given, then ends.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void give(std::function<void()> task);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::thread thread_;
};

/// A part compiled, with its session on a device.
struct PartProgram {
  Executable executable;
  Session session;
  PartProgram(driver::Device& device, Executable made, const Settings& settings)
      : executable(std::move(made)), session(device, executable, settings) {}
};

class AcceleratorRunner final : public PartRunner {
 public:
  /// The device must outlive the runner; nobody else uses it while parts run.
  AcceleratorRunner(driver::Device& device, const abi::Configuration& configuration, compile::Options options,
                    Settings settings);

  std::string name() const override { return settings_.device; }
  std::size_t most() const override { return 1; }
  /// Compiles the part and puts it on the device. Throws as compile() and Session do.
  void prepare(const WantedPart& part) override;
  void start(const WantedPart& part, std::vector<Feature> inputs, std::function<void(PartResult)> done) override;

 private:
  driver::Device* device_;
  abi::Configuration configuration_;
  compile::Options options_;
  Settings settings_;
  std::map<const WantedPart*, std::unique_ptr<PartProgram>> programs_;
  Worker worker_;
};

class HostRunner final : public PartRunner {
 public:
  std::string name() const override { return "cpu"; }
  std::size_t most() const override { return 1; }
  void prepare(const WantedPart& part) override;
  void start(const WantedPart& part, std::vector<Feature> inputs, std::function<void(PartResult)> done) override;

 private:
  std::map<const WantedPart*, std::unique_ptr<cpu::Executor>> executors_;
  Worker worker_;
};

}  // namespace espalier::run

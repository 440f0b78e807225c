#include "run/part_runners.hpp"

#include "cpu/choice/choose_executor.hpp"

#include <utility>

namespace espalier::run {
namespace {

/// Runs `compute`; a failure is part of the result.
PartResult result_of(const std::function<PartResult()>& compute) {
  try {
    return compute();
  } catch (...) {
    PartResult failed;
    failed.failure = std::current_exception();
    return failed;
  }
}

}  // namespace

Worker::Worker() : thread_([this] { work(); }) {}

Worker::~Worker() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Worker::give(std::function<void()> task) {
  {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void Worker::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

AcceleratorRunner::AcceleratorRunner(driver::Device& device, const abi::Configuration& configuration,
                                     compile::Options options, Settings settings)
    : device_(&device), configuration_(configuration), options_(std::move(options)), settings_(std::move(settings)) {}

void AcceleratorRunner::prepare(const WantedPart& part) {
  const Part& one = part.part;
  Executable executable{one.network.name, compile::compile(one.network, configuration_, options_), one.ports};
  programs_[&part] = std::make_unique<PartProgram>(*device_, std::move(executable), settings_);
}

void AcceleratorRunner::start(const WantedPart& part, std::vector<Feature> inputs,
                              std::function<void(PartResult)> done) {
  worker_.give([this, &part, inputs = std::move(inputs), done = std::move(done)] {
    done(result_of([&] {
      FeatureRun run = programs_.at(&part)->session.run_features(inputs);
      PartResult result;
      for (const std::size_t output : part.outputs) result.outputs.push_back(std::move(run.features[output]));
      result.predicted_cycles = run.report.totals.predicted_cycles;
      result.measured_cycles = run.report.totals.measured_cycles;
      return result;
    }));
  });
}

void HostRunner::prepare(const WantedPart& part) {
  executors_[&part] = cpu::choose_executor(part.part.network);
}

void HostRunner::start(const WantedPart& part, std::vector<Feature> inputs, std::function<void(PartResult)> done) {
  worker_.give([this, &part, inputs = std::move(inputs), done = std::move(done)] {
    done(result_of([&] {
      std::vector<Feature> made = executors_.at(&part)->run(inputs);
      PartResult result;
      for (const std::size_t output : part.outputs)
        result.outputs.push_back(std::move(made[output]));
      return result;
    }));
  });
}

}  // namespace espalier::run

// Schedules the steps of a network on several threads, and hands them out in order.
//
//   Preparation steps(network, lowered, placement, configuration, options);
//   for (std::size_t i = 0; i < lowered.steps.size(); ++i) steps.take(i)->generator.emit(builder, work, ...);
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "compile/step_generator.hpp"

namespace espalier::compile {

/// A step with its scheduled weight streams. Stays where it is: the generator refers to the rows.
struct PreparedStep {
  PreparedStep(const model::Network& network, const Lowered& lowered, const Placement& placement, std::size_t step,
               const abi::Configuration& configuration, const Options& options);

  StepRows rows;
  StepGenerator generator;
};

class Preparation {
 public:
  /// Starts the threads; all arguments must outlive this object.
  Preparation(const model::Network& network, const Lowered& lowered, const Placement& placement,
              const abi::Configuration& configuration, const Options& options);
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  /// Step `index`, once; indices are taken in order. Waits until it is prepared and throws what its preparation threw.
  std::unique_ptr<PreparedStep> take(std::size_t index);

 private:
  struct Result {
    std::unique_ptr<PreparedStep> step;
    std::exception_ptr failure;
  };

  void work();
  Result prepare(std::size_t index) const;

  const model::Network& network_;
  const Lowered& lowered_;
  const Placement& placement_;
  const abi::Configuration& configuration_;
  const Options& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::size_t, Result> ready_;
  std::size_t next_ = 0;   // first step that no thread has begun
  std::size_t taken_ = 0;  // steps handed out
  bool stop_ = false;
  std::vector<std::jthread> threads_;  // last: they use everything above
};

}  // namespace espalier::compile

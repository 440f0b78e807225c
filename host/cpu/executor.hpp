// What executes a quantised network on the CPU, with the bits of the reference. cpu/choice/choose_executor.hpp makes the
// fastest one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cpu/reference.hpp"
#include "model/network.hpp"

namespace espalier::cpu {

/// Prepared once, run many times. Not to be used from several threads at a time.
class Executor {
 public:
  virtual ~Executor() = default;

  /// What computes, for reports.
  virtual std::string name() const = 0;

  /// The three parts of a run. Takes the inputs, in the order of network.inputs and CHW, into the layout of compute();
  /// throws Error(Input) for a wrong number or size. `inputs` must live until compute() has returned.
  virtual void enter(std::span<const Tensor> inputs) = 0;
  virtual void compute() = 0;
  /// The features of network.outputs, CHW.
  virtual std::vector<Tensor> leave() = 0;

  std::vector<Tensor> run(std::span<const Tensor> inputs);
};

/// By FastExecutor, which runs everywhere.
std::string loop_executor_name();
std::unique_ptr<Executor> make_loop_executor(const model::Network& network);

}  // namespace espalier::cpu

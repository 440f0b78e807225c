#include "cpu/executor.hpp"

#include <utility>

#include "cpu/fast.hpp"

namespace espalier::cpu {
namespace {

class LoopExecutor final : public Executor {
 public:
  explicit LoopExecutor(const model::Network& network) : network_(network), executor_(network_) {}

  std::string name() const override { return loop_executor_name(); }
  void enter(std::span<const Tensor> inputs) override {
    place_inputs(network_, inputs);
    inputs_ = inputs;
  }
  void compute() override { features_ = executor_.run(inputs_); }
  std::vector<Tensor> leave() override {
    std::vector<Tensor> outputs;
    for (const int output : network_.outputs) outputs.push_back(features_[static_cast<std::size_t>(output)]);
    return outputs;
  }

 private:
  model::Network network_;
  FastExecutor executor_;
  std::span<const Tensor> inputs_;
  std::vector<Tensor> features_;
};

}  // namespace

std::vector<Tensor> Executor::run(std::span<const Tensor> inputs) {
  enter(inputs);
  compute();
  return leave();
}

std::string loop_executor_name() { return "int8 loops"; }

std::unique_ptr<Executor> make_loop_executor(const model::Network& network) {
  return std::make_unique<LoopExecutor>(network);
}

}  // namespace espalier::cpu

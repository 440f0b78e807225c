// Executes a quantised Network on the CPU by oneDNN's integer convolutions, with the bits of the CPU reference.
//
//   cpu::OneDnnIntegerExecutor executor(network);
//   std::vector<cpu::Tensor> outputs = executor.run({image});  // of network.outputs; equal to cpu::run(network,
//   {image})
//
// Convolutions give int32 sums; the contract's own requantisation follows. With AVX2 and with AVX-512 without VNNI,
// oneDNN adds pairs of products in 16 bits and saturates; whether sums are exact is tried out with extreme values.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cpu/executor.hpp"
#include "cpu/onednn/executor.hpp"
#include "cpu/reference.hpp"
#include "model/network.hpp"

namespace espalier::cpu {

/// True if oneDNN's integer sums of the largest and smallest operands are exact with the instruction set in use, for
/// convolutions of one tap and of several, of all channels and of one. Tried once per process.
bool onednn_integers_are_exact();

/// With the instruction set in use.
std::string onednn_integer_name();

class OneDnnIntegerExecutor final : public Executor {
 public:
  /// `network` must pass model::validate; it is copied. Throws Error(Unsupported) unless
  /// onednn_integers_are_exact(), and as RealLayer does.
  explicit OneDnnIntegerExecutor(const model::Network& network, const OneDnnOptions& options = {});
  ~OneDnnIntegerExecutor() override;
  OneDnnIntegerExecutor(const OneDnnIntegerExecutor&) = delete;
  OneDnnIntegerExecutor& operator=(const OneDnnIntegerExecutor&) = delete;

  std::string name() const override { return onednn_integer_name(); }
  void enter(std::span<const Tensor> inputs) override;
  void compute() override;
  std::vector<Tensor> leave() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace espalier::cpu

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
#include <vector>

#include "cpu/onednn/executor.hpp"
#include "cpu/reference.hpp"
#include "model/network.hpp"

namespace espalier::cpu {

/// True if oneDNN's integer sums of the largest and smallest operands are exact with the instruction set in use, for
/// convolutions of one tap and of several, of all channels and of one. Tried once per process.
bool onednn_integers_are_exact();

class OneDnnIntegerExecutor {
 public:
  /// `network` must pass model::validate; it is copied. Throws Error(Unsupported) unless
  /// onednn_integers_are_exact(), and as RealLayer does.
  explicit OneDnnIntegerExecutor(const model::Network& network, const OneDnnOptions& options = {});
  ~OneDnnIntegerExecutor();
  OneDnnIntegerExecutor(const OneDnnIntegerExecutor&) = delete;
  OneDnnIntegerExecutor& operator=(const OneDnnIntegerExecutor&) = delete;

  /// `inputs` in the order of network.inputs, CHW. Throws Error(Input) for a wrong number or size. Not to be called
  /// from several threads at a time.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace espalier::cpu

// The CPU reference's bits, fast: convolutions as integer products over unfolded maps, zero weights skipped.
//
//   cpu::FastExecutor executor(network);
//   std::vector<cpu::Tensor> features = executor.run({image});  // equal to cpu::run(network, {image})
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cpu/reference.hpp"

namespace espalier::cpu {

class RealLayer;

/// Prepares a network once and runs it many times; run() is const and may be called from several threads.
class FastExecutor {
 public:
  /// Keeps a reference to `network`, which must pass model::validate.
  explicit FastExecutor(const model::Network& network);
  ~FastExecutor();
  FastExecutor(const FastExecutor&) = delete;
  FastExecutor& operator=(const FastExecutor&) = delete;

  /// As cpu::run, bit for bit.
  std::vector<Tensor> run(std::span<const Tensor> inputs) const;

 private:
  /// One convolution: for every output channel its non-zero taps, and where each tap reads.
  struct Tap {
    std::int32_t weight;
    std::int32_t input_channel;
    std::int32_t kernel_y, kernel_x;
  };
  struct Convolution {
    std::vector<Tap> taps;
    std::vector<std::size_t> first;  // taps of channel c: first[c] .. first[c + 1]
    std::vector<std::int32_t> bias;  // with the zero-point correction
  };

  Tensor convolve(const model::Layer& layer, const Convolution& prepared, const Tensor& source) const;

  const model::Network& network_;
  std::vector<Convolution> convolutions_;                // indexed like network.layers
  std::vector<std::unique_ptr<const RealLayer>> reals_;  // the same; null for other kinds
};

}  // namespace espalier::cpu

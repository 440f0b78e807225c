// A convolution of maps with channels innermost, held as integer_kernels.hpp says, to int32 sums, by oneDNN.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "model/network.hpp"

namespace espalier::cpu::onednn {

class IntegerConvolution {
 public:
  IntegerConvolution(const model::Layer& layer, const model::Feature& in, const model::Feature& out,
                     const dnnl::engine& engine, dnnl::stream& stream);

  /// `source`: pixels times channels of the input; `sums`: of the output, with bias, (a - zero) * w.
  void run(const std::uint8_t* source, std::int32_t* sums, dnnl::stream& stream);

 private:
  dnnl::memory source_, weights_, bias_, sums_;
  dnnl::convolution_forward primitive_;
};

}  // namespace espalier::cpu::onednn

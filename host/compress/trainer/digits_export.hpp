// The digit network as an ONNX graph. Batch normalization is folded into the convolution before it, which multiplies
// each output channel by one number: zeros stay zeros.
//
//   write_onnx("digits.onnx", digits_graph(network));
#pragma once

#include "network.hpp"
#include "onnx_file.hpp"

namespace espalier::trainer {

// Input `image` 1 x 1 x 28 x 28 (pixel / 255), output `logits` 1 x 10.
Graph digits_graph(DigitNetwork& network);

}  // namespace espalier::trainer

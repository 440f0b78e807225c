// The digit networks as ONNX graphs.
//
//   write_onnx("digits.onnx", digits_graph(network));
#pragma once

#include "exit_network.hpp"
#include "network.hpp"
#include "onnx_file.hpp"

namespace espalier::trainer {

/// Input `image` 1 x 1 x 28 x 28 (pixel / 255), output `logits` 1 x 10.
Graph digits_graph(DigitNetwork& network);

/// The same input; an output per exit there is, exit_name(), 1 x 10, in their order.
Graph exits_graph(ExitNetwork& network);

}  // namespace espalier::trainer

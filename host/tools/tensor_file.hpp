// ONNX TensorProto files (.pb), as the official operator tests store their inputs.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tensor.hpp"

namespace espalier::tools {

/// Decodes a serialised TensorProto with inline data: float, double, int8, uint8, int32, int64. Throws Error (Input)
/// naming `where` for damaged messages, other types, external data, and data that does not fit the dimensions.
Tensor parse_tensor_proto(std::span<const std::uint8_t> bytes, const std::string& where);

}  // namespace espalier::tools

// ONNX TensorProto files (.pb), as the official operator tests store their inputs.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/array.hpp"

namespace espalier::model {

/// Decodes a serialised TensorProto with inline data. Throws Error (Input) naming `where` for damaged messages, other
/// element types, external data, and data that does not fit the dimensions.
Array parse_tensor_file(std::span<const std::uint8_t> bytes, const std::string& where);

}  // namespace espalier::model

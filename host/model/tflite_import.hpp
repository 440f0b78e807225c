// Reads TensorFlow Lite files into a Graph. No file, however damaged, does more than throw an espalier::Error.
//
//   model::Graph graph = model::import_tflite_bytes(bytes);
//
// The graph has the operators of ONNX: tensors of four axes have their channels first, padding is explicit, fused
// activations are nodes of their own, quantised tensors stand between QuantizeLinear and DequantizeLinear.
#pragma once

#include <string_view>

#include "model/graph.hpp"
#include "model/import_options.hpp"

namespace espalier::model {

/// Whether the bytes carry the identifier of the format.
bool is_tflite(std::string_view bytes);

/// Reads, checks and converts a model and infers all shapes. Throws Error(Model) if the file is damaged or contradicts
/// itself, and UnsupportedModel, naming all unsupported operators at once, if this version does not execute it.
Graph import_tflite_bytes(std::string_view bytes, const ImportOptions& options = {});

}  // namespace espalier::model

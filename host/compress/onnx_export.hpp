// Writes a quantised network as ONNX with QuantizeLinear and DequantizeLinear around every operator.
//
//   compress::export_onnx(quantised, "digits_int8.onnx");
//   compress::lower_quantised(model::import_model("digits_int8.onnx").graph);  // the same integers again
#pragma once

#include <filesystem>
#include <string>

#include "compress/quantised.hpp"

namespace espalier::compress {

/// The bytes of the file: opset 13, int8 weights per output channel, int32 biases. Importing them gives a network with
/// the same weights, biases, scales, zero points and clamps. Throws Error(Unsupported) naming the layer if a scale is
/// not the product of float32 scales, which cannot happen for networks that quantise() or lower_quantised() made.
std::string to_onnx(const Quantised& quantised);

/// to_onnx into a file. Throws Error(Input) if it cannot be written.
void export_onnx(const Quantised& quantised, const std::filesystem::path& file);

}  // namespace espalier::compress

// `espalier plan --export-cut`: the two halves of a network as ONNX.
#pragma once

#include <string>

#include "console.hpp"
#include "model_loader.hpp"

namespace espalier::tools {

/// Writes front.onnx (the layers up to and with `layer`, a name or an index) and back.onnx (the others) into `folder`,
/// which is made if it is not there. Tensors that cross have one name in both and are int8; what only the network
/// gives or takes is as in its file. Throws Error (Usage) for a layer that the network does not have or that is its
/// last, Error (Unsupported) for a layer in float32.
Json export_cut(const QuantisedModel& model, const std::string& layer, const std::string& folder);

/// The document of export_cut() as text.
std::string cut_text(const Json& json);

}  // namespace espalier::tools

// Reads Caffe2 networks, which are two files: the operators (predict_net.pb) and the fills of the weights
// (init_net.pb). No file, however damaged, does more than throw an espalier::Error.
//
//   model::Graph graph = model::import_caffe2_bytes(predict_net, init_net, {.shapes = {{"data", {1, 3, 224, 224}}}});
//
// The graph has the operators of ONNX. Blobs that are written several times become a value each.
#pragma once

#include <string_view>

#include "model/graph.hpp"
#include "model/import_options.hpp"

namespace espalier::model {

/// Reads, checks and converts both files and infers all shapes. The format has no shapes of inputs: they are those of
/// options.shapes, or of the blob that init_net fills under the name of the first external input. Throws Error(Model)
/// if a file is damaged or contradicts itself, UnsupportedModel, naming all operators at once, if this version does not
/// execute it, and Error(Usage) for a shape that is missing or of no input.
Graph import_caffe2_bytes(std::string_view predict_net, std::string_view init_net, const ImportOptions& options = {});

}  // namespace espalier::model

// Reads a model file of any known format into a Graph.
//
//   model::Graph graph = model::import_model("network.tflite").graph;
#pragma once

#include <filesystem>
#include <string_view>

#include "model/graph.hpp"
#include "model/import_options.hpp"

namespace espalier::model {

enum class ModelFormat { Onnx, Tflite, Caffe2 };

/// The name in reports, e.g. "onnx".
const char* to_string(ModelFormat format);

struct ImportedModel {
  ModelFormat format = ModelFormat::Onnx;
  Graph graph;
};

/// A file is the operators of a Caffe2 network if options.init_net names its weights or if its own name says
/// predict_net; its weights are then in the file of the same name with init_net. Throws Error(Input) if the file cannot
/// be read, Error(Model) if it is damaged or larger than the memory budget, and Error(Unsupported), naming operator and
/// reason, if it holds what this version does not execute.
ImportedModel import_model(const std::filesystem::path& file, const ImportOptions& options = {});

}  // namespace espalier::model

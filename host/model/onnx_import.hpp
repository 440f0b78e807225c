// Reads ONNX files into a Graph. No file, however damaged, does more than throw an espalier::Error.
//
//   model::Graph graph = model::import_onnx_bytes(bytes, "folder/of/the/file");
#pragma once

#include <filesystem>
#include <string_view>

#include "model/graph.hpp"
#include "model/import_options.hpp"

namespace espalier::model {

/// Reads, checks and sorts a model, infers all shapes and evaluates integer constants. A free batch size becomes 1,
/// other free sizes are those of options.shapes. External data is looked for in `folder` (refused if empty). Throws
/// Error(Model) if the file is damaged or contradicts itself, UnsupportedModel, naming all nodes with operator and
/// reason, if it holds what this version does not execute, and Error(Usage) for a shape that does not fit its input.
Graph import_onnx_bytes(std::string_view bytes, const std::filesystem::path& folder = {},
                        const ImportOptions& options = {});

}  // namespace espalier::model

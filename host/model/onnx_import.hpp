// Reads ONNX files into a Graph. No file, however damaged, does more than throw an espalier::Error.
//
//   model::Graph graph = model::import_onnx("network.onnx");
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "model/graph.hpp"

namespace espalier::model {

struct ImportOptions {
  std::uint64_t most_bytes = std::uint64_t{2} << 30;  // of the file and of all its tensors together
};

/// Reads, checks and sorts a model, infers all shapes and evaluates integer constants. A free batch size becomes 1.
/// Throws Error(Input) if the file cannot be read, Error(Model) if it is damaged or contradicts itself, and
/// Error(Unsupported), naming node, operator and reason, if it holds what this version does not execute.
Graph import_onnx(const std::filesystem::path& file, const ImportOptions& options = {});

/// The same for the bytes of a file; external data is looked for in `folder` (refused if empty).
Graph import_onnx_bytes(std::string_view bytes, const std::filesystem::path& folder = {},
                        const ImportOptions& options = {});

}  // namespace espalier::model

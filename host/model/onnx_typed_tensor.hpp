// ONNX TensorProto to TypedTensor. Includes ONNX headers: for .cpp files of model only.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <optional>

#include "model/import_options.hpp"
#include "model/typed_tensor.hpp"

namespace espalier::model {

/// The type of an ONNX number, or none if the operator table has no such type.
std::optional<DataType> data_type(std::int64_t onnx_type);

/// Checks sizes before anything is allocated. Throws Error(Model) or Error(Unsupported).
TypedTensor read_typed_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder, Budget& budget);

}  // namespace espalier::model

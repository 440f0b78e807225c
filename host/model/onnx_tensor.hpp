// ONNX TensorProto to Array. Includes ONNX headers: for .cpp files of model and compress only.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>

#include "model/array.hpp"
#include "model/import_options.hpp"

namespace espalier::model {

/// The element type, or Error(Unsupported) naming `where`.
ElementType element_type(int onnx_type, const std::string& where);
int onnx_type(ElementType type);

/// Checks that the data has exactly the size that the dimensions ask for before anything is allocated. External data
/// must be a file inside `folder`. Throws Error(Model) or Error(Unsupported).
Array read_tensor(const onnx::TensorProto& tensor, const std::filesystem::path& folder, Budget& budget);

/// The inverse, with raw data.
onnx::TensorProto write_tensor(const Array& array, const std::string& name);

}  // namespace espalier::model

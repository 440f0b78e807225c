// ONNX TensorProto to Array. Includes ONNX headers: for .cpp files of model and compress only.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>

#include "model/array.hpp"

namespace espalier::model {

/// What is left of the memory that a model may use.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes) : left_(bytes) {}
  /// Throws Error(Model) if `bytes` more exceed the budget.
  void take(std::uint64_t bytes, const std::string& where);

 private:
  std::uint64_t left_;
};

/// The element type, or Error(Unsupported) naming `where`.
ElementType element_type(int onnx_type, const std::string& where);
int onnx_type(ElementType type);

/// Checks that the data has exactly the size that the dimensions ask for before anything is allocated. External data
/// must be a file inside `folder`. Throws Error(Model) or Error(Unsupported).
Array read_tensor(const onnx::TensorProto& tensor, const std::filesystem::path& folder, Budget& budget);

/// The inverse, with raw data.
onnx::TensorProto write_tensor(const Array& array, const std::string& name);

}  // namespace espalier::model

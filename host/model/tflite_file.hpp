// A TensorFlow Lite file, verified before anything of it is read. Includes generated code: for .cpp files of model
// only.
//
//   TfliteFile file(bytes, options);
//   Array weights = file.constant(file.graph().operators()->Get(0)->inputs()->Get(1));
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/array.hpp"
#include "model/import_options.hpp"
#include "tflite_file_generated.h"

namespace espalier::model {

/// real = scale * (q - zero); one of each, or one for each index of `axis` of the tensor as the file has it.
struct TfliteQuantisation {
  std::vector<float> scale;
  std::vector<std::int64_t> zero;
  std::size_t axis = 0;
};

class TfliteFile {
 public:
  /// Copies and verifies the file. Throws Error(Model) if it is damaged, Error(Unsupported) if it is of another version
  /// or has not exactly one graph.
  TfliteFile(std::string_view bytes, const ImportOptions& options);

  const tflite::SubGraph& graph() const { return *graph_; }
  std::size_t tensors() const { return tensors_; }
  std::size_t operators() const { return graph_->operators() == nullptr ? 0 : graph_->operators()->size(); }

  /// The number of a built-in operator and the name of a custom one. Throws Error(Model) for a wrong index.
  struct OperatorName {
    std::int32_t builtin = 0;
    std::string custom;
  };
  OperatorName operator_name(const tflite::Operator& entry, const std::string& where) const;

  /// All of these throw Error(Model) or Error(Unsupported) naming the tensor. `index` is below tensors().
  const tflite::Tensor& tensor(std::size_t index) const;
  std::string name(std::size_t index) const;
  std::string where(std::size_t index) const { return "tensor '" + name(index) + "'"; }
  Shape shape(std::size_t index) const;
  /// float16 counts as Float.
  ElementType type(std::size_t index) const;
  bool is_constant(std::size_t index) const { return !data(index).empty(); }
  /// The values of a constant: float16 becomes float32, sparse ones become dense.
  Array constant(std::size_t index);
  /// Empty for float tensors and for integers without scale.
  std::optional<TfliteQuantisation> quantisation(std::size_t index) const;

 private:
  std::span<const std::uint8_t> data(std::size_t index) const;

  std::vector<std::uint64_t> storage_;  // aligned as the format asks for
  std::span<const std::uint8_t> bytes_;
  const tflite::Model* model_ = nullptr;
  const tflite::SubGraph* graph_ = nullptr;
  std::size_t tensors_ = 0;
  Budget budget_;
};

}  // namespace espalier::model

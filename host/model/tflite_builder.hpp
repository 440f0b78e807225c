// Builds a Graph from the tensors and operators of a TensorFlow Lite file; tflite_operators says which operators become
// what. Includes generated code: for .cpp files of model only.
//
// Activations of four axes are stored channels first in the graph and channels last in the file; other tensors have the
// same axes in both. A quantised tensor is the result of a QuantizeLinear and is read through a DequantizeLinear.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/graph.hpp"
#include "model/refusal_list.hpp"
#include "model/tflite_file.hpp"

namespace espalier::model {

/// One operator of the file with its tensors checked. Optional inputs that are left out are empty.
struct TfliteOperation {
  const tflite::Operator* entry = nullptr;
  std::string name;  // that of the result, which the format has instead of one for the operator
  std::string where;
  std::vector<std::optional<std::size_t>> inputs;
  std::size_t output = 0;
  std::vector<std::size_t> outputs;  // all of them; the first is `output`

  bool has_input(std::size_t index) const { return index < inputs.size() && inputs[index].has_value(); }
};

using Attributes = std::map<std::string, Attribute>;

class TfliteBuilder {
 public:
  TfliteBuilder(TfliteFile& file, const ImportOptions& options)
      : file_(file),
        options_(options),
        value_of_(file.tensors(), -1),
        real_of_(file.tensors(), -1),
        constant_of_(file.tensors(), -1) {}

  /// The whole graph, without shapes. Operators that are not executed are added to `refusals`, and their results are
  /// values that nothing defines.
  Graph run(RefusalList& refusals);

  /// Compares the sizes that the file gives for every tensor with the inferred ones. Throws Error(Model).
  void check_shapes(const Graph& inferred) const;

  TfliteFile& file() { return file_; }
  std::size_t rank(std::size_t tensor) const { return file_.shape(tensor).size(); }
  /// Axis `axis` of a tensor in the file, negative from the end, as the graph counts it.
  std::int64_t axis(std::int64_t axis, std::size_t rank, const std::string& where) const;

  /// An activation or a constant as float32 value of the graph; constants keep the order of the file.
  int real(const TfliteOperation& operation, std::size_t input);
  /// The same for an operand of an elementwise operator whose result has `rank` axes.
  int operand(const TfliteOperation& operation, std::size_t input, std::size_t rank);
  /// A constant with its axes in another order, and possibly in another shape before; float32 numbers if the
  /// operator's result is.
  int weights(const TfliteOperation& operation, std::size_t input, std::vector<std::size_t> order,
              std::optional<Shape> shape = {});
  /// int32 numbers of the unit scale of input 0 times scale of input 1, or float32 numbers.
  int bias(const TfliteOperation& operation, std::size_t input);
  /// The values of a constant list of integers.
  std::vector<std::int64_t> integers(const TfliteOperation& operation, std::size_t input, const char* what);
  /// A rank-4 value channels first in the order of the file, and back.
  int channels_last(const TfliteOperation& operation, int value, std::size_t rank);
  int channels_first(const TfliteOperation& operation, int value, std::size_t rank);

  /// A constant that is not in the file.
  int constant(const std::string& name, Array array) { return graph_.add_constant(name, std::move(array)); }
  /// Adds a node and returns its result.
  int emit(const TfliteOperation& operation, const std::string& op, std::vector<int> inputs,
           Attributes attributes = {});
  /// `value` is the result of an operator before its activation and quantisation.
  void finish(const TfliteOperation& operation, int value, tflite::Activation activation = tflite::Activation_None);
  /// The result is a constant, dequantised or stored densely: what reads it reads its source.
  void define_alias(const TfliteOperation& operation);
  /// The result is not quantised, whatever the file says.
  void finish_real(const TfliteOperation& operation, int value);

 private:
  void add_inputs();
  void add_outputs();
  bool refuse_unknown(std::size_t index, RefusalList& refusals);
  void convert(const TfliteOperation& operation, RefusalList& refusals);
  void define_unknown(std::size_t tensor);
  TfliteOperation read_operation(std::size_t index) const;
  std::size_t tensor_index(std::int64_t index, const std::string& where) const;
  int add_constant(std::size_t tensor, Array array, const std::optional<TfliteQuantisation>& quantisation,
                   std::size_t axis);
  int dequantise(int value, const TfliteQuantisation& quantisation, ElementType type, std::size_t axis);
  std::vector<int> parameters(const TfliteQuantisation& quantisation, ElementType type, const std::string& name);
  bool is_defined(std::size_t tensor) const { return value_of_[tensor] >= 0; }

  TfliteFile& file_;
  const ImportOptions& options_;
  Graph graph_;
  std::vector<int> value_of_;     // of activations, indexed by tensor: what the file calls the tensor
  std::vector<int> real_of_;      // the same value in float32
  std::vector<int> constant_of_;  // the constant tensor that stands for another one; -1 for others
};

}  // namespace espalier::model

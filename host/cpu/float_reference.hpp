// Executes a Graph in float32: the reference before quantisation and the source of calibration ranges.
//
//   cpu::FloatExecutor executor(graph);
//   std::vector<std::vector<float>> values = executor.run({image});
//   const std::vector<float>& logits = values[graph.outputs[0].value];
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/graph.hpp"

namespace espalier::cpu {

using FloatTensor = std::vector<float>;

class TypedOperator;

/// Runs imported graphs and canonical ones (model/rewrites.hpp). QLinear operators must be expanded before.
/// Convolutions are matrix products over unfolded maps. The values of integer tensors are held as floats.
class FloatExecutor {
 public:
  /// Keeps a reference to `graph`. Throws Error(Unsupported) for operators that neither have a form of their own here
  /// nor are in the operator table.
  explicit FloatExecutor(const model::Graph& graph);
  ~FloatExecutor();
  FloatExecutor(const FloatExecutor&) = delete;
  FloatExecutor& operator=(const FloatExecutor&) = delete;

  /// All values, indexed like graph.values; constants are empty. `inputs` in the order of graph.inputs, row-major.
  /// Throws Error(Input) if a size differs. Port::softmax_axis is not applied.
  std::vector<FloatTensor> run(std::span<const FloatTensor> inputs) const;

 private:
  const model::Graph& graph_;
  std::vector<FloatTensor> constants_;                       // indexed like graph.values
  std::vector<std::unique_ptr<const TypedOperator>> typed_;  // indexed like graph.nodes: those of the operator table
};

/// exp(x - max) / sum along one axis; `shape` is that of `values`.
FloatTensor softmax(const FloatTensor& values, const model::Shape& shape, std::size_t axis);

}  // namespace espalier::cpu

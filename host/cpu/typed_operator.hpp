// One node of a network, executed by the operators of the operator table between float32 buffers.
#pragma once

#include <span>
#include <vector>

#include "model/graph.hpp"
#include "model/operator_graph.hpp"

namespace espalier::cpu {

class TypedOperator {
 public:
  /// Throws Error(Unsupported) if the operator table refuses the node.
  TypedOperator(const model::Graph& graph, const model::Node& node);

  /// The results in the order of node.outputs, empty for those that nobody reads. `inputs` and `shapes` are those of
  /// all node.inputs; constants are not looked at. Throws Error(Model) if values do not fit.
  std::vector<std::vector<float>> run(const std::vector<std::span<const float>>& inputs,
                                      const std::vector<model::Shape>& shapes) const;

 private:
  std::vector<bool> is_activation_;  // of the node's inputs
  std::vector<bool> is_read_;        // of its outputs
  model::OperatorGraph graph_;
};

}  // namespace espalier::cpu

// Executes an operator graph node by node on typed tensors, as the definition of each operator says: the reference for
// every operator of the table, not a fast path.
//
//   model::OperatorGraph graph = model::read_operator_graph(bytes, folder);
//   std::vector<model::TypedTensor> outputs = cpu::execute(graph, {image});
#pragma once

#include <vector>

#include "model/operator_graph.hpp"

namespace espalier::cpu {

/// The outputs of the graph. `inputs` are those of graph.inputs that are not bound to constants, in order. Throws
/// Error(Unsupported) if the graph has refusals, Error(Input) if inputs do not fit, Error(Model) if shapes, axes or
/// indices do not.
std::vector<model::TypedTensor> execute(const model::OperatorGraph& graph,
                                        const std::vector<model::TypedTensor>& inputs = {});

}  // namespace espalier::cpu

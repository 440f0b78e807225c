// One node of a network as a graph of the operator table: how networks check and execute what has no form of its own
// among the operators that rewrites know.
#pragma once

#include <string_view>

#include "model/graph.hpp"
#include "model/operator_graph.hpp"

namespace espalier::model {

/// Before the name of an operator whose node is as the operator table defines it and not in the one form that infer()
/// gives to the operator, e.g. a Conv of three directions or a Pad that reflects. No rewrite knows such names.
inline constexpr std::string_view AsDefined = "ai.onnx.";

/// The name without AsDefined.
std::string_view defined_name(std::string_view op);

/// The row of the table that a node of `graph` follows: that of its operator set, or, for operators that rewrites
/// introduce, the nearest one. nullptr: the table does not have the operator.
const OperatorRow* row_of(const Graph& graph, const Node& node);

/// The node with its values: constants are bound, dequantised if they have a quantisation, the others are inputs of the
/// result in the order in which the node reads them. Attributes that only networks have are left out. What the table
/// does not have is among the refusals.
OperatorGraph single_operator(const Graph& graph, const Node& node);

/// Element types of networks in the operator table, and back; empty for types that networks do not hold.
DataType data_type_of(ElementType type);
std::optional<ElementType> element_type_of(DataType type);

}  // namespace espalier::model

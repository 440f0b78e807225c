// The check of an operator graph against the operator table.
#pragma once

#include <string>

#include "model/operator_graph.hpp"

namespace espalier::model {

/// Adds a refusal for every node that its row does not allow: number of inputs and outputs, element types, attributes
/// and their values. Gives the type of every value that can be known.
void check_operators(OperatorGraph& graph);

/// Why an operator has no row: unknown, another operator set, or not executed here.
std::string missing_row(const std::string& op, const std::string& domain, int opset);

}  // namespace espalier::model

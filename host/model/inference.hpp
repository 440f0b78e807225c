// Types and shapes of all values, and the value of everything that is computed from constants and shapes alone.
#pragma once

#include "model/graph.hpp"
#include "model/refusal_list.hpp"

namespace espalier::model {

/// Gives every value its type and shape, replaces nodes of constants by their value, and writes attributes in one form:
/// explicit padding, Clip with attributes min and max, non-negative axes, Reshape/Squeeze/Unsqueeze with attribute
/// shape. Nodes must be sorted. Throws Error(Model) for contradictions and UnsupportedModel, with all of them, for
/// forms not executed.
void infer(Graph& graph);

/// The same for a graph of which `refusals` holds operators already: what depends on them is left out, what is refused
/// itself is added. Without refusals afterwards all shapes are known.
void infer(Graph& graph, RefusalList& refusals);

/// The value of a node whose inputs are constant (or whose result follows from shapes); empty if it is not evaluated.
std::optional<Array> evaluate(const Graph& graph, const Node& node);

}  // namespace espalier::model

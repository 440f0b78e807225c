// The moves of values with which exporters compute shapes and paddings: constants of few values that are cut, joined
// and reshaped.
#pragma once

#include <optional>
#include <vector>

#include "model/graph.hpp"

namespace espalier::model {

/// The result of Concat, Expand, Flatten, Gather, Reshape, Slice, Squeeze, Tile or Unsqueeze of constants with at most
/// 4096 values, up to 8 axes, in the forms with attributes (before opset 10 and 13) and with inputs; empty for anything
/// else. Throws Error(Model) for contradictions.
std::optional<Array> evaluate_move(const Node& node, const std::vector<const Array*>& inputs);

}  // namespace espalier::model

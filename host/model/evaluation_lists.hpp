// The arithmetic with which exporters compute shapes: operators on scalars and short lists, and constants of one value.
#pragma once

#include <optional>
#include <vector>

#include "model/graph.hpp"

namespace espalier::model {

/// The result of Cast, Range, Where, reductions, comparisons and arithmetic on lists of at most 4096 numbers, and of
/// ConstantOfShape and Cast for any bounded size; empty for what is none of these. Throws Error(Model) for
/// contradictions.
std::optional<Array> evaluate_list(const Node& node, const std::vector<const Array*>& inputs);

}  // namespace espalier::model

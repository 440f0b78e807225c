// Shapes of the operators that resample, cut or combine maps elementwise; inference.cpp asks here for what it does not
// know itself.
#pragma once

#include <optional>

#include "model/graph.hpp"

namespace espalier::model {

/// The shape of the result of Resize (with sizes), Slice, ConvTranspose, LeakyRelu, PRelu, Tanh, Abs, Max or Min of
/// float32 tensors; empty for other operators. Throws Error(Model) for contradictions and Error(Unsupported) for sizes
/// that are not constant.
std::optional<Shape> resampled_shape(const Graph& graph, const Node& node);

}  // namespace espalier::model

// The float32 operators behind FloatExecutor, as ONNX defines them. Shapes come from inference and fit.
#pragma once

#include <span>
#include <vector>

#include "cpu/float_reference.hpp"

namespace espalier::cpu {

using FloatView = std::span<const float>;  // empty: optional input left out

struct FloatShapes {
  std::vector<model::Shape> inputs;
  model::Shape output;
  model::ElementType output_type = model::ElementType::Float;
};

FloatTensor convolution(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);
FloatTensor pool(const model::Node& node, FloatView in, const FloatShapes& shapes);
FloatTensor global_pool(const model::Node& node, FloatView in, const FloatShapes& shapes);
FloatTensor gemm(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);
FloatTensor arithmetic(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);
FloatTensor batch_normalization(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);
FloatTensor concat(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);
FloatTensor pad(const model::Node& node, FloatView in, const FloatShapes& shapes);
FloatTensor quantise(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);
FloatTensor dequantise(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes);

}  // namespace espalier::cpu

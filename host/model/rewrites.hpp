// Graph to graph steps from an imported model to the few operators that are quantised and lowered.
//
//   model::Graph graph = model::canonicalise(model::import_model("network.onnx").graph);
//
// After canonicalise() every activation is a map [1, channels, height, width] and the operators are Conv, MaxPool,
// AveragePool, GlobalAveragePool, GlobalMaxPool, Add, Concat, Clip, Requantise (the identity between two
// quantisations) and Real: an operator that the machine does not have, kept for the CPU. Its attributes are real_op,
// the shapes of the file (real_input0 .., real_output) and refusal, the reason. Conv has constant weights and an
// optional constant bias. Conv, Add and the pools may have the attributes clamp_low and clamp_high, applied to the
// result; source_op is the operator in the file. Ports keep the shapes that the file declares.
// Each step can be used alone; steps throw Error(Unsupported) naming the node and the reason.
#pragma once

#include "model/graph.hpp"

namespace espalier::model {

/// True if the model carries its own quantisation (QuantizeLinear, DequantizeLinear or QLinear operators).
bool is_quantised(const Graph& graph);

/// Removes Identity, Dropout and Cast.
void remove_identities(Graph& graph);

/// QLinear operators become DequantizeLinear, the float operator and QuantizeLinear.
void expand_qlinear(Graph& graph);

/// A Softmax that only feeds an output becomes Port::softmax_axis.
void detach_epilogues(Graph& graph);

/// QuantizeLinear and DequantizeLinear become Value::quantisation (uint8 shifted to int8), dequantised constants become
/// int32 arrays without zero point. Max pools, clamps, concatenations and reshapes pass a quantisation on where the
/// result is the same to the bit.
void strip_quantisation(Graph& graph);

/// Merges, moves and removes Transposes: those that move only axes of size 1 become Reshape, those before a product
/// with constant weights change the order of the weights.
void remove_transposes(Graph& graph);

/// Gives every activation four axes: Reshape, Squeeze, Unsqueeze and Flatten vanish, Gemm and MatMul become Conv with a
/// kernel of the map's size, BatchNormalization and arithmetic with constants become a depthwise 1 x 1 Conv, Relu
/// becomes Clip.
void to_maps(Graph& graph);

/// Merges depthwise 1 x 1 convolutions made by to_maps into the convolution before them.
void fold_affine(Graph& graph);

/// Merges Clip into the operator before it, or moves it before a Concat.
void fold_clamps(Graph& graph);

/// Merges Pad into the operators behind it; what remains becomes a depthwise 1 x 1 Conv with padding.
void fold_pads(Graph& graph);

/// All steps in their order.
Graph canonicalise(Graph graph);

/// The reals of a constant, dequantised if it has a quantisation.
Array real_constant(const Value& value);

}  // namespace espalier::model

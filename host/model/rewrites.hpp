// The single graph to graph steps from an imported model to the few operators that are quantised and lowered.
//
//   model::Graph graph = model::canonicalise(model::import_model("network.onnx").graph);
//
// rewrite_list.hpp names them all, in their order.
//
// After canonicalise() every activation is a map [1, channels, height, width] and the operators are Conv, MaxPool,
// AveragePool, GlobalAveragePool, GlobalMaxPool, Add, Concat, Clip, Requantise (the identity between two
// quantisations) and Real: an operator that the machine does not have, kept for the CPU. Its attributes are real_op,
// the shapes of the file (real_input0 .., real_output) and refusal, the reason. Conv has constant weights and an
// optional constant bias. Conv, Add and the pools may have the attributes clamp_low and clamp_high, applied to the
// result; source_op is the operator in the file. Ports keep the shapes that the file declares.
// Each step can be used alone. Steps throw UnsupportedModel naming all nodes they cannot rewrite and the reasons;
// canonicalise() throws one for all steps.
#pragma once

#include "model/graph.hpp"
#include "model/refusal_list.hpp"
#include "model/rewrite_list.hpp"

namespace espalier::model {

/// True if the model carries its own quantisation (QuantizeLinear, DequantizeLinear or QLinear operators).
bool is_quantised(const Graph& graph);

/// True if a scale is computed from the values of each input (DynamicQuantizeLinear).
bool is_dynamic(const Graph& graph);

/// Operators of constants become constants: arithmetic with broadcasting, Relu, Clip, Sigmoid, Concat and reshapes.
void fold_constants(Graph& graph);

/// Split becomes one Slice for each of its results.
void split_slices(Graph& graph);

/// ConvInteger and MatMulInteger, the Cast behind them and their scales become Conv and MatMul whose weights keep the
/// integers of the file. An input that DynamicQuantizeLinear quantised is read in float32 instead. Forms without known
/// scales are added to `refusals`.
void make_quantisation_static(Graph& graph, RefusalList& refusals);

/// Removes Identity, Dropout and Cast to the type that the value has.
void remove_identities(Graph& graph);

/// The operators that stand for max(0, min(1, x / 6 + 1/2)) become HardSigmoid.
void find_hard_sigmoid(Graph& graph);

/// x HardSigmoid(x) and x clip(x + 3, 0, 6) / 6 become HardSwish.
void find_hard_swish(Graph& graph);

/// Gates of squeeze-and-excite blocks become GlobalAveragePool, 1 x 1 Conv and activations on 1 x 1 maps.
void find_squeeze_excite(Graph& graph);

/// QLinear operators become DequantizeLinear, the float operator and QuantizeLinear.
void expand_qlinear(Graph& graph);

/// A Softmax that only feeds an output becomes Port::softmax_axis.
void detach_epilogues(Graph& graph);

/// QuantizeLinear and DequantizeLinear become Value::quantisation (uint8 shifted to int8), dequantised constants become
/// int32 arrays without zero point. Max pools, clamps, concatenations and reshapes pass a quantisation on where the
/// result is the same to the bit. What cannot be is added to `refusals`.
void strip_quantisation(Graph& graph, RefusalList& refusals);

/// Merges, moves and removes Transposes: those that move only axes of size 1 become Reshape, those before a product
/// with constant weights change the order of the weights.
void remove_transposes(Graph& graph);

/// Gives every activation four axes: Reshape, Squeeze, Unsqueeze and Flatten vanish, Gemm and MatMul become Conv with a
/// kernel of the map's size, BatchNormalization and arithmetic with constants become a depthwise 1 x 1 Conv, Relu
/// becomes Clip. What cannot be is added to `refusals`.
void to_maps(Graph& graph, RefusalList& refusals);

/// Merges depthwise 1 x 1 convolutions made by to_maps into the convolution before them.
void fold_affine(Graph& graph);

/// Merges Clip into the operator before it, or moves it before a Concat.
void fold_clamps(Graph& graph);

/// Merges Pad into the operators behind it.
void fold_pads(Graph& graph);

/// Every Pad becomes a depthwise 1 x 1 Conv with padding.
void convolve_pads(Graph& graph);

/// The reals of a constant, dequantised if it has a quantisation.
Array real_constant(const Value& value);

}  // namespace espalier::model

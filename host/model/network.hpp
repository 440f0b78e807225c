// A quantised network as the accelerator and the CPU reference execute it: int8 tensors, explicit integer arithmetic.
//
// model/compress produce it from a Graph, compile turns it into commands, cpu executes it. Every number that decides a
// bit of the result (multipliers, shifts, biases, zero points, clamps) is stored here, so that no stage derives it
// anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "esp_arithmetic.hpp"

namespace espalier::model {

struct Graph;

/// An int8 activation tensor, batch 1, NCHW: real value = scale * (q - zero).
struct Feature {
  std::string name;
  int channels = 0;
  int height = 0;
  int width = 0;
  double scale = 1.0;
  std::int32_t zero = 0;  // -128..127

  std::size_t elements() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
};

enum class LayerKind {
  Convolution,  // any kernel, stride, padding, dilation, groups; fully connected = kernel of the map's size
  MaxPool,      // padding never wins
  AveragePool,  // divides by the count of valid taps; of all taps if count_include_padding or if none is valid
  GlobalAveragePool,
  GlobalMaxPool,
  Add,         // two inputs of one shape, one rounding
  Concat,      // along channels; inputs whose scale or zero differ from the output's are requantised
  Requantise,  // scale * (q - zero) to another scale and zero; also plain clamps
  Real,        // an operator in float32 between dequantised inputs and a quantised output; runs on the CPU alone
};

/// One layer. Arithmetic is normative (esp_arithmetic.hpp):
///   Convolution: y = requantise(bias[o] - zero_in * sum(w) + sum(a * w), scale[o]); padding holds zero_in
///   AveragePool: y = requantise(sum over valid taps of (a - zero_in), make_scale(ratio / count)); see pool_scale()
///   Add:         y = residual_add(a, b, ...) with scale[0] for input 0 and multiplier_b for input 1, common shift
///   Concat:      each input i through requantise(a - zero_i, scale[i]) unless scale and zero are the output's
///   Requantise:  y = requantise(a - zero_in, scale[0])
///   MaxPool:     y = max over valid taps, clamped to [low, high]
///   Real:        y = clamp(round(r / scale) + zero), r the operator's result on the reals scale * (a - zero_in)
struct Layer {
  std::string name;
  std::string op;  // the source operator, e.g. "Conv", "Gemm", "MaxPool"
  LayerKind kind = LayerKind::Convolution;
  std::vector<int> inputs;  // indices into Network::features
  int output = -1;
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int dilation_h = 1, dilation_w = 1;
  int groups = 1;
  bool count_include_padding = false;   // AveragePool
  std::vector<std::int8_t> weights;     // [output channel][input channel / groups][kernel_h][kernel_w]
  std::vector<std::int32_t> bias;       // per output channel; without the zero-point correction
  std::vector<abi::Scale> scale;        // Convolution: per output channel; Concat: per input; others: one
  std::uint32_t multiplier_b = 0;       // Add: second input, with scale[0].shift
  double ratio = 1.0;                   // AveragePool, GlobalAveragePool: scale_in / scale_out
  std::int32_t low = -128, high = 127;  // clamp of the int8 result (ReLU, ReLU6)
  std::shared_ptr<const Graph> real;    // Real: one node; its inputs are the layer's, in order
  std::string refusal;                  // Real: why it is no layer of the machine
};

/// The requantisation of an average over `count` taps.
inline abi::Scale pool_scale(const Layer& layer, int count) { return abi::make_scale(layer.ratio / count); }

/// A quantised network in topological order.
struct Network {
  std::string name;
  std::vector<Feature> features;
  std::vector<Layer> layers;
  std::vector<int> inputs;  // feature indices
  std::vector<int> outputs;
};

/// Outputs of a window along one axis; 0 if the kernel is larger than the padded map.
std::int64_t window_count(int in, int before, int after, int kernel, int stride, int dilation);

/// Multiply-accumulates of a layer, all of them and those with a non-zero weight: of convolutions, and of Real layers
/// that are a Conv, ConvTranspose, Gemm or MatMul; 0 for others. Products of two activations have no zero weights.
struct MacCount {
  std::int64_t all = 0;
  std::int64_t nonzero = 0;
};
MacCount count_macs(const Network& network, const Layer& layer);

/// Checks shapes, index ranges, sizes of weight/bias/scale vectors and accumulator range (|acc| < 2^31 for every int8
/// input); throws espalier::Error naming the layer, the field and the value.
void validate(const Network& network);

}  // namespace espalier::model

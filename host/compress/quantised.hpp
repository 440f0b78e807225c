// A quantised network together with what the host does before and after it.
//
//   compress::Quantised q = compress::quantise(model::import_model("digits.onnx").graph, images);
//   cpu::Tensor input = compress::to_int8(q.inputs[0], pixels);
//   std::vector<float> logits = compress::to_real(q.outputs[0], features[q.network.outputs[0]]);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/array.hpp"
#include "model/network.hpp"

namespace espalier::compress {

/// An input of the model file. Inputs of type Float are quantised as QuantizeLinear does; Int8 values are taken as they
/// are, UInt8 values minus 128.
struct Input {
  std::string name;
  model::ElementType type = model::ElementType::Float;
  model::Shape shape;  // as in the file, batch 1
  float scale = 1;
  std::int32_t zero = 0;
};

/// An output of the model file. Float: scale * (q - zero), then Softmax; Int8: the bytes; UInt8: the bytes plus 128.
struct Output {
  std::string name;
  model::ElementType type = model::ElementType::Float;
  model::Shape shape;
  float scale = 1;
  std::int32_t zero = 0;
  std::optional<int> softmax_axis;  // axis of `shape`
};

/// inputs[i] belongs to network.inputs[i], outputs[i] to network.outputs[i].
struct Quantised {
  model::Network network;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
};

/// The int8 tensor for the values of one input: reals for Float, integers for the others. Throws Error(Input) if the
/// number of values differs from the shape or an integer is out of range.
std::vector<std::int8_t> to_int8(const Input& input, std::span<const float> values);

/// The values of one output as the model file defines them.
std::vector<float> to_real(const Output& output, std::span<const std::int8_t> values);

}  // namespace espalier::compress

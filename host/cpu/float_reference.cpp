#include "cpu/float_reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "cpu/float_operators.hpp"
#include "esp_error.hpp"
#include "model/array_order.hpp"
#include "model/rewrites.hpp"

namespace espalier::cpu {
namespace {

const std::set<std::string>& known_operators() {
  static const std::set<std::string> names = {"Add",           "AveragePool", "BatchNormalization",
                                              "Clip",          "Concat",      "Conv",
                                              "Div",           "Dropout",     "DequantizeLinear",
                                              "Flatten",       "Gemm",        "GlobalAveragePool",
                                              "Identity",      "ReduceMean",  "MatMul",
                                              "GlobalMaxPool", "MaxPool",     "Mul",
                                              "Pad",           "Cast",        "QuantizeLinear",
                                              "Relu",          "Requantise",  "Reshape",
                                              "Softmax",       "Sub",         "Transpose"};
  return names;
}

FloatTensor transpose(const model::Node& node, FloatTensor values, const model::Shape& shape) {
  const auto order = model::read_order(node.integers("perm", {}), shape.size(), node.where());
  return std::get<FloatTensor>(model::permute({shape, std::move(values)}, order).values);
}

void clamp(const model::Node& node, FloatTensor& values) {
  if (!node.attributes.contains("clamp_low") && !node.attributes.contains("clamp_high")) return;
  const float low = node.real("clamp_low", std::numeric_limits<float>::lowest());
  const float high = node.real("clamp_high", std::numeric_limits<float>::max());
  for (float& value : values) value = std::min(std::max(value, low), high);
}

FloatTensor compute(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const std::string& op = node.op;
  if (op == "Conv") return convolution(node, in, shapes);
  if (op == "MaxPool" || op == "AveragePool") return pool(node, in[0], shapes);
  if (op == "GlobalAveragePool" || op == "GlobalMaxPool" || op == "ReduceMean") return global_pool(node, in[0], shapes);
  if (op == "Gemm" || op == "MatMul") return gemm(node, in, shapes);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") return arithmetic(node, in, shapes);
  if (op == "BatchNormalization") return batch_normalization(node, in, shapes);
  if (op == "Concat") return concat(node, in, shapes);
  if (op == "Pad") return pad(node, in[0], shapes);
  if (op == "QuantizeLinear") return quantise(node, in, shapes);
  if (op == "DequantizeLinear") return dequantise(node, in, shapes);
  FloatTensor result(in[0].begin(), in[0].end());
  if (op == "Transpose") return transpose(node, std::move(result), shapes.inputs[0]);
  if (op == "Softmax") return softmax(result, shapes.inputs[0], static_cast<std::size_t>(node.integer("axis", 1)));
  if (op == "Relu")
    for (float& value : result) value = std::max(value, 0.0F);
  if (op == "Clip") {
    const float low = node.real("min", std::numeric_limits<float>::lowest());
    const float high = node.real("max", std::numeric_limits<float>::max());
    for (float& value : result) value = std::min(std::max(value, low), high);
  }
  return result;
}

/// A node that rewrites kept for the CPU, as the file has it: its operator and the shapes that it was written for.
model::Node restored(const model::Node& node, FloatShapes& shapes) {
  model::Node plain = node;
  plain.op = node.text("real_op", {});
  shapes.output = node.integers("real_output", {});
  for (std::size_t i = 0; i < shapes.inputs.size(); ++i)
    shapes.inputs[i] = node.integers("real_input" + std::to_string(i), {});
  return plain;
}

}  // namespace

FloatExecutor::FloatExecutor(const model::Graph& graph) : graph_(graph), constants_(graph.values.size()) {
  for (std::size_t i = 0; i < graph.values.size(); ++i)
    if (graph.values[i].constant) constants_[i] = model::real_constant(graph.values[i]).as_floats();
  for (const model::Node& node : graph.nodes)
    if (!known_operators().contains(node.text("real_op", node.op)))
      throw Error(ErrorCode::Unsupported, "the operator cannot be executed in float32", node.where(), node.op,
                  "rewrite the graph first");
}

std::vector<FloatTensor> FloatExecutor::run(std::span<const FloatTensor> inputs) const {
  if (inputs.size() != graph_.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "network '" + graph_.name + "'",
                std::to_string(inputs.size()), "give " + std::to_string(graph_.inputs.size()));
  std::vector<FloatTensor> values(graph_.values.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const model::Port& port = graph_.inputs[i];
    if (static_cast<std::int64_t>(inputs[i].size()) != model::count_elements(port.shape, port.name))
      throw Error(ErrorCode::Input, "the input has the wrong size", "input '" + port.name + "'",
                  std::to_string(inputs[i].size()), "give a tensor of shape " + model::to_string(port.shape));
    values[static_cast<std::size_t>(port.value)] = inputs[i];
  }
  for (const model::Node& node : graph_.nodes) {
    std::vector<FloatView> views;
    FloatShapes shapes;
    for (const int input : node.inputs) {
      const auto index = static_cast<std::size_t>(std::max(input, 0));
      views.push_back(input < 0 ? FloatView{} : graph_.is_constant(input) ? constants_[index] : values[index]);
      shapes.inputs.push_back(input < 0 ? model::Shape{} : graph_.value(input).shape);
    }
    shapes.output = graph_.value(node.outputs[0]).shape;
    shapes.output_type = graph_.value(node.outputs[0]).type;
    FloatTensor result =
        node.op == "Real" ? compute(restored(node, shapes), views, shapes) : compute(node, views, shapes);
    clamp(node, result);
    values[static_cast<std::size_t>(node.outputs[0])] = std::move(result);
  }
  return values;
}

}  // namespace espalier::cpu

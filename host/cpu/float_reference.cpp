#include "cpu/float_reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "cpu/float_operators.hpp"
#include "cpu/typed_operator.hpp"
#include "esp_error.hpp"
#include "model/array_order.hpp"
#include "model/rewrites.hpp"

namespace espalier::cpu {
namespace {

/// What is computed here, in the one form that model::infer() gives; everything else by the operators of the table.
bool is_own(const std::string& op) {
  static const std::set<std::string> names = {"Add",           "AveragePool", "BatchNormalization",
                                              "Clip",          "Concat",      "Conv",
                                              "Div",           "Dropout",     "DequantizeLinear",
                                              "Flatten",       "Gemm",        "GlobalAveragePool",
                                              "Identity",      "ReduceMean",  "MatMul",
                                              "GlobalMaxPool", "MaxPool",     "Mul",
                                              "Pad",           "Cast",        "QuantizeLinear",
                                              "Relu",          "Requantise",  "Reshape",
                                              "Softmax",       "Sub",         "Transpose"};
  return names.contains(op);
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

/// A node that rewrites kept for the CPU with the operator of the file.
model::Node restored(const model::Node& node) {
  model::Node plain = node;
  plain.op = node.text("real_op", node.op);
  return plain;
}

/// Shapes of inputs and first output; of nodes that rewrites kept for the CPU those that they were written for.
FloatShapes shapes_of(const model::Graph& graph, const model::Node& node) {
  FloatShapes shapes;
  const bool real = node.op == "Real";
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const model::Shape shape = node.has_input(i) ? graph.value(node.inputs[i]).shape : model::Shape{};
    shapes.inputs.push_back(real ? node.integers("real_input" + std::to_string(i), {}) : shape);
  }
  const model::Value& output = graph.value(node.outputs[0]);
  shapes.output = real ? node.integers("real_output", {}) : output.shape;
  shapes.output_type = output.type;
  return shapes;
}

}  // namespace

FloatExecutor::FloatExecutor(const model::Graph& graph)
    : graph_(graph), constants_(graph.values.size()), typed_(graph.nodes.size()) {
  for (std::size_t i = 0; i < graph.values.size(); ++i)
    if (graph.values[i].constant) constants_[i] = model::real_constant(graph.values[i]).as_floats();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const model::Node plain = restored(graph.nodes[i]);
    if (!is_own(plain.op)) typed_[i] = std::make_unique<const TypedOperator>(graph, plain);
  }
}

FloatExecutor::~FloatExecutor() = default;

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
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const model::Node& node = graph_.nodes[i];
    std::vector<FloatView> views;
    for (const int input : node.inputs) {
      const auto index = static_cast<std::size_t>(std::max(input, 0));
      views.push_back(input < 0 ? FloatView{} : graph_.is_constant(input) ? constants_[index] : values[index]);
    }
    const FloatShapes shapes = shapes_of(graph_, node);
    std::vector<FloatTensor> results;
    if (typed_[i])
      results = typed_[i]->run(views, shapes.inputs);
    else
      results.push_back(compute(restored(node), views, shapes));
    clamp(node, results[0]);
    for (std::size_t output = 0; output < node.outputs.size(); ++output) {
      if (node.outputs[output] < 0) continue;
      if (output >= results.size())
        throw Error(ErrorCode::Model, "the operator gives fewer results than outputs are read", node.where(),
                    "output " + std::to_string(output + 1) + " of " + std::to_string(results.size()),
                    "export the model again");
      const model::Value& value = graph_.value(node.outputs[output]);
      if (static_cast<std::int64_t>(results[output].size()) != model::count_elements(value.shape, value.name))
        throw Error(ErrorCode::Internal, "the result has another size than was inferred", node.where(),
                    std::to_string(results[output].size()), "report this network");
      values[static_cast<std::size_t>(node.outputs[output])] = std::move(results[output]);
    }
  }
  return values;
}

}  // namespace espalier::cpu

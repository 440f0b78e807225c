#include "cpu/operators/execute.hpp"

#include <optional>

#include "cpu/operators/call.hpp"
#include "cpu/operators/registry.hpp"
#include "esp_error.hpp"

namespace espalier::cpu {
namespace {

using model::OperatorGraph;
using model::OperatorNode;
using model::TypedTensor;

using Values = std::vector<std::optional<TypedTensor>>;

Values bound_inputs(const OperatorGraph& graph, const std::vector<TypedTensor>& inputs) {
  Values values(graph.values.size());
  std::size_t next = 0;
  for (const int index : graph.inputs) {
    const auto& value = graph.values[static_cast<std::size_t>(index)];
    if (value.constant) continue;
    if (next == inputs.size()) throw Error(ErrorCode::Input, "an input is missing", "input '" + value.name + "'");
    if (value.type != inputs[next].type)
      throw Error(ErrorCode::Input, "the tensor has another element type than the input", "input '" + value.name + "'",
                  model::to_string(inputs[next].type));
    values[static_cast<std::size_t>(index)] = inputs[next++];
  }
  if (next != inputs.size())
    throw Error(ErrorCode::Input, "there are more tensors than inputs", "inputs", std::to_string(inputs.size()));
  return values;
}

const TypedTensor* find(const OperatorGraph& graph, const Values& values, int index) {
  if (index < 0) return nullptr;
  const auto& constant = graph.values[static_cast<std::size_t>(index)].constant;
  return constant ? &*constant : &*values[static_cast<std::size_t>(index)];
}

void execute_node(const OperatorGraph& graph, const OperatorNode& node, Values& values) {
  std::vector<const TypedTensor*> inputs;
  inputs.reserve(node.inputs.size());
  for (const int input : node.inputs) inputs.push_back(find(graph, values, input));
  operators::Call call(node, graph.opset, std::move(inputs));
  for (const int output : node.outputs)
    call.output_types.push_back(output < 0 ? model::DataType::Float32
                                           : *graph.values[static_cast<std::size_t>(output)].type);
  std::vector<TypedTensor> results = (*operators::find_kernel(node.op))(call);
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    if (node.outputs[i] >= 0) {
      if (i >= results.size())
        call.fail("the operator gives fewer results than outputs are read",
                  "output " + std::to_string(i + 1) + " of " + std::to_string(results.size()));
      values[static_cast<std::size_t>(node.outputs[i])] = std::move(results[i]);
    }
}

}  // namespace

std::vector<TypedTensor> execute(const OperatorGraph& graph, const std::vector<TypedTensor>& inputs) {
  if (!graph.refusals.empty())
    throw Error(ErrorCode::Unsupported, graph.refusals[0].reason, graph.refusals[0].where,
                std::to_string(graph.refusals.size()) + " refusals", "see espalier conformance --operators");
  Values values = bound_inputs(graph, inputs);
  std::vector<int> readers(graph.values.size(), 0);
  for (const OperatorNode& node : graph.nodes)
    for (const int input : node.inputs)
      if (input >= 0) ++readers[static_cast<std::size_t>(input)];
  for (const int output : graph.outputs) ++readers[static_cast<std::size_t>(output)];
  for (const OperatorNode& node : graph.nodes) {
    execute_node(graph, node, values);
    for (const int input : node.inputs)
      if (input >= 0 && --readers[static_cast<std::size_t>(input)] == 0)
        values[static_cast<std::size_t>(input)].reset();
  }
  std::vector<TypedTensor> outputs;
  for (const int output : graph.outputs) outputs.push_back(*find(graph, values, output));
  return outputs;
}

}  // namespace espalier::cpu

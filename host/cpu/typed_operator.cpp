#include "cpu/typed_operator.hpp"

#include <cmath>

#include "cpu/operators/execute.hpp"
#include "esp_error.hpp"
#include "model/single_operator.hpp"

namespace espalier::cpu {
namespace {

model::TypedTensor typed(model::DataType type, const model::Shape& shape, std::span<const float> values) {
  if (model::is_real(type)) return {type, shape, model::Reals(values.begin(), values.end())};
  model::Integers integers;
  integers.reserve(values.size());
  for (const float value : values) integers.push_back(model::to_integer(value));
  return {type, shape, std::move(integers)};
}

std::vector<float> plain(const model::TypedTensor& tensor) {
  std::vector<float> values;
  values.reserve(tensor.size());
  if (model::is_real(tensor.type))
    for (const double value : tensor.reals()) values.push_back(static_cast<float>(value));
  else
    for (const std::int64_t value : tensor.integers()) values.push_back(static_cast<float>(value));
  return values;
}

}  // namespace

TypedOperator::TypedOperator(const model::Graph& graph, const model::Node& node)
    : graph_(model::single_operator(graph, node)) {
  if (!graph_.refusals.empty())
    throw Error(ErrorCode::Unsupported, "the operator cannot be executed: " + graph_.refusals[0].reason, node.where(),
                node.op, "see espalier conformance --operators");
  for (const int input : node.inputs) is_activation_.push_back(input >= 0 && !graph.is_constant(input));
  for (const int output : node.outputs) is_read_.push_back(output >= 0);
}

std::vector<std::vector<float>> TypedOperator::run(const std::vector<std::span<const float>>& inputs,
                                                   const std::vector<model::Shape>& shapes) const {
  std::vector<model::TypedTensor> tensors;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!is_activation_[i]) continue;
    const auto index = static_cast<std::size_t>(graph_.inputs[tensors.size()]);
    tensors.push_back(typed(*graph_.values[index].type, shapes[i], inputs[i]));
  }
  const std::vector<model::TypedTensor> outputs = execute(graph_, tensors);
  std::vector<std::vector<float>> results;
  std::size_t next = 0;
  for (const bool read : is_read_) results.push_back(read ? plain(outputs[next++]) : std::vector<float>());
  return results;
}

}  // namespace espalier::cpu

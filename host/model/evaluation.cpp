// Constants that exporters compute from shapes, and quantised constants.
#include <algorithm>
#include <cmath>

#include "model/array_order.hpp"
#include "model/evaluation_lists.hpp"
#include "model/evaluation_moves.hpp"
#include "model/inference.hpp"
#include "model/refusals.hpp"

namespace espalier::model {
namespace {

Array constant(const Node& node) {
  if (node.attributes.size() != 1) damaged("the constant has no single value", node);
  const auto& [key, attribute] = *node.attributes.begin();
  if (const auto* array = std::get_if<Array>(&attribute)) return *array;
  if (const auto* value = std::get_if<float>(&attribute)) return {{}, std::vector<float>{*value}};
  if (const auto* value = std::get_if<std::int64_t>(&attribute)) return {{}, std::vector<std::int64_t>{*value}};
  if (const auto* list = std::get_if<std::vector<float>>(&attribute))
    return {{static_cast<std::int64_t>(list->size())}, *list};
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute))
    return {{static_cast<std::int64_t>(list->size())}, *list};
  damaged("the constant has a wrong type", node, key);
}

Array shape_of(const Graph& graph, const Node& node) {
  const Value& value = graph.value(node.inputs[0]);
  if (!value.known) damaged("the shape of an input is not known", node);
  const auto rank = static_cast<std::int64_t>(value.shape.size());
  const auto place = [&](std::int64_t index) {
    return std::clamp<std::int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  const std::int64_t start = place(node.integer("start", 0)), end = std::max(start, place(node.integer("end", rank)));
  return {{end - start}, std::vector<std::int64_t>(value.shape.begin() + start, value.shape.begin() + end)};
}

Array size_of(const Graph& graph, const Node& node) {
  const Value& value = graph.value(node.inputs[0]);
  if (!value.known) damaged("the shape of an input is not known", node);
  return {{}, std::vector<std::int64_t>{count_elements(value.shape, node.where())}};
}

/// All axes in reverse without perm.
Array transpose(const Array& data, const Node& node) {
  std::vector<std::int64_t> order = node.integers("perm", {});
  if (!node.attributes.contains("perm"))
    for (std::size_t i = data.shape.size(); i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
  return permute(data, read_order(order, data.shape.size(), node.where()));
}

/// ONNX QuantizeLinear of constant weights: saturate(round half to even(x / scale) + zero).
std::optional<Array> quantise(const std::vector<const Array*>& inputs, const Node& node) {
  const Array& data = *inputs[0];
  const auto scale = inputs[1]->as_floats();
  if (data.type() != ElementType::Float || inputs[1]->type() != ElementType::Float || scale.empty()) return {};
  const bool is_signed = inputs.size() > 2 && inputs[2]->type() == ElementType::Int8;
  if (inputs.size() > 2 && !is_signed && inputs[2]->type() != ElementType::UInt8) return {};
  const auto zero = inputs.size() > 2 ? inputs[2]->as_integers() : std::vector<std::int64_t>(scale.size(), 0);
  const auto rank = static_cast<std::int64_t>(data.shape.size());
  std::int64_t along = node.integer("axis", 1);
  if (along < 0) along += rank;
  if (zero.size() != scale.size()) damaged("scale and zero point differ in size", node);
  if (scale.size() > 1 && (along < 0 || along >= rank ||
                           data.shape[static_cast<std::size_t>(along)] != static_cast<std::int64_t>(scale.size())))
    damaged("the scale does not fit the axis", node, std::to_string(scale.size()));
  std::size_t inner = 1;
  for (std::int64_t i = along + 1; i < rank; ++i)
    inner *= static_cast<std::size_t>(data.shape[static_cast<std::size_t>(i)]);
  const std::vector<float> values = data.as_floats();
  std::vector<std::int8_t> as_signed;
  std::vector<std::uint8_t> as_unsigned;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = scale.size() == 1 ? 0 : i / inner % scale.size();
    const double level = std::nearbyint(values[i] / scale[channel]) + static_cast<double>(zero[channel]);
    if (std::isnan(level)) damaged("a weight is not a number", node);
    if (is_signed)
      as_signed.push_back(static_cast<std::int8_t>(std::clamp(level, -128.0, 127.0)));
    else
      as_unsigned.push_back(static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0)));
  }
  if (is_signed) return Array{data.shape, std::move(as_signed)};
  return Array{data.shape, std::move(as_unsigned)};
}

}  // namespace

std::optional<Array> evaluate(const Graph& graph, const Node& node) {
  if (node.op == "Constant") return constant(node);
  if (node.op == "Shape") return shape_of(graph, node);
  if (node.op == "Size") return size_of(graph, node);
  std::vector<const Array*> inputs;
  for (const int input : node.inputs) {
    if (!graph.is_constant(input)) return {};
    inputs.push_back(&*graph.value(input).constant);
  }
  if (inputs.empty()) return {};
  if (node.op == "Identity") return *inputs[0];
  if (node.op == "Transpose") return transpose(*inputs[0], node);
  if (node.op == "QuantizeLinear") return quantise(inputs, node);
  if (std::optional<Array> moved = evaluate_move(node, inputs)) return moved;
  return evaluate_list(node, inputs);
}

}  // namespace espalier::model

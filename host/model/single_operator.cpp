#include "model/single_operator.hpp"

#include <array>

#include "model/operator_types.hpp"
#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

TypedTensor typed(const Array& array) {
  const DataType type = data_type_of(array.type());
  if (is_real(type)) return {type, array.shape, array.as_doubles()};
  return {type, array.shape, array.as_integers()};
}

/// Attributes with which rewrites annotate nodes.
bool only_in_networks(const std::string& key) {
  return key.starts_with("real_") || key == "refusal" || key == "source_op" || key.starts_with("clamp_");
}

OperatorAttribute converted(const Attribute& attribute) {
  return std::visit(
      [](const auto& value) -> OperatorAttribute {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Array>)
          return typed(value);
        else
          return value;
      },
      attribute);
}

}  // namespace

std::string_view defined_name(std::string_view op) {
  if (op.starts_with(AsDefined)) op.remove_prefix(AsDefined.size());
  return op;
}

DataType data_type_of(ElementType type) {
  static constexpr std::array types = {DataType::Float32, DataType::Int8, DataType::UInt8,  DataType::Int32,
                                       DataType::Int64,   DataType::Bool, DataType::Float64};
  return types[static_cast<std::size_t>(type)];
}

std::optional<ElementType> element_type_of(DataType type) {
  for (const ElementType each : {ElementType::Float, ElementType::Int8, ElementType::UInt8, ElementType::Int32,
                                 ElementType::Int64, ElementType::Bool})
    if (data_type_of(each) == type) return each;
  return {};
}

const OperatorRow* row_of(const Graph& graph, const Node& node) {
  const std::string_view name = defined_name(node.op);
  if (const OperatorRow* row = find_row(name, "", graph.opset)) return row;
  const auto rows = find_rows(name, "");
  if (rows.empty()) return nullptr;
  for (const OperatorRow& row : rows)
    if (row.first > graph.opset) return &row;
  return &rows.back();
}

OperatorGraph single_operator(const Graph& graph, const Node& node) {
  OperatorGraph result;
  result.opset = graph.opset;
  OperatorNode plain;
  plain.name = node.name;
  plain.op = defined_name(node.op);
  plain.row = row_of(graph, node);
  if (plain.row == nullptr) result.refusals.push_back({node.where(), missing_row(plain.op, "", graph.opset)});
  for (const int input : node.inputs) {
    plain.inputs.push_back(input < 0 ? -1 : static_cast<int>(result.values.size()));
    if (input < 0) continue;
    const Value& value = graph.value(input);
    OperatorValue read{value.name, data_type_of(value.type), {}};
    if (value.constant) {
      read.constant = typed(value.quantisation ? real_constant(value) : *value.constant);
      read.type = read.constant->type;
    } else {
      result.inputs.push_back(plain.inputs.back());
    }
    result.values.push_back(std::move(read));
  }
  for (const int output : node.outputs) {
    plain.outputs.push_back(output < 0 ? -1 : static_cast<int>(result.values.size()));
    if (output < 0) continue;
    result.outputs.push_back(plain.outputs.back());
    result.values.push_back({graph.value(output).name, {}, {}});
  }
  for (const auto& [key, attribute] : node.attributes)
    if (!only_in_networks(key)) plain.attributes.emplace(key, converted(attribute));
  result.nodes.push_back(std::move(plain));
  check_operators(result);
  return result;
}

}  // namespace espalier::model

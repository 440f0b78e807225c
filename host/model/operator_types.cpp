#include "model/operator_types.hpp"

#include <algorithm>

#include "model/onnx_typed_tensor.hpp"

namespace espalier::model {
namespace {

/// Checks one node; the first violation found becomes its reason.
class NodeCheck {
 public:
  NodeCheck(OperatorGraph& graph, const OperatorNode& node) : graph_(graph), node_(node), row_(*node.row) {}

  /// The reason to refuse the node, or nothing. Gives its outputs their types.
  std::string run() {
    std::string reason = check_counts();
    if (reason.empty()) reason = check_attributes();
    if (reason.empty()) reason = check_inputs();
    if (reason.empty()) reason = give_types();
    return reason;
  }

 private:
  OperatorValue& value(int index) { return graph_.values[static_cast<std::size_t>(index)]; }

  std::string check_counts() const {
    if (node_.inputs.size() < row_.least_inputs() || node_.inputs.size() > row_.most_inputs())
      return "the number of inputs is not supported (" + std::to_string(node_.inputs.size()) + ")";
    if (node_.outputs.size() > row_.most_outputs())
      return "the number of outputs is not supported (" + std::to_string(node_.outputs.size()) + ")";
    for (std::size_t i = 0; i < row_.least_inputs(); ++i)
      if (node_.inputs[i] < 0) return "a required input is missing (" + std::to_string(i) + ")";
    return {};
  }

  std::string check_attributes() const {
    for (const auto& [name, value] : node_.attributes) {
      const AttributeRow* attribute = row_.attribute(name);
      if (attribute == nullptr) return "the attribute '" + name + "' is not supported";
      const AttributeKind kind = attribute->kind;
      const std::size_t held = kind == AttributeKind::Type ? 0 : static_cast<std::size_t>(kind);
      if (value.index() != held) return "the attribute '" + name + "' has another type";
      std::string text;
      if (kind == AttributeKind::Text) text = std::get<std::string>(value);
      if (kind == AttributeKind::Integer) text = std::to_string(std::get<std::int64_t>(value));
      if (!attribute->values.empty() && !attribute->values.contains(text))
        return "the value '" + text + "' of attribute '" + name + "' is not supported";
      if (kind == AttributeKind::Type && !data_type(std::get<std::int64_t>(value)))
        return "the element type of attribute '" + name + "' is not supported";
    }
    return {};
  }

  std::string check_inputs() {
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      if (node_.inputs[i] < 0) continue;
      const PortRow& port = row_.inputs[std::min(i, row_.inputs.size() - 1)];
      const std::optional<DataType> type = value(node_.inputs[i]).type;
      if (!row_.types_of(port.variable).contains(*type))
        return "the type " + std::string(to_string(*type)) + " of input " + std::to_string(i) + " is not supported";
      const auto [known, fresh] = bound_.emplace(port.variable, *type);
      if (!fresh && known->second != *type)
        return "the type " + std::string(to_string(*type)) + " of input " + std::to_string(i) + " is not " +
               to_string(known->second);
    }
    return {};
  }

  /// The type of an output "@attribute".
  DataType type_from(const std::string& key) const {
    const auto found = node_.attributes.find(key);
    if (found != node_.attributes.end()) {
      if (const auto* tensor = std::get_if<TypedTensor>(&found->second)) return tensor->type;
      return *data_type(std::get<std::int64_t>(found->second));
    }
    for (const char* name : {"value_int", "value_ints"})
      if (node_.attributes.contains(name)) return DataType::Int64;
    const auto input = bound_.find("T");
    return input == bound_.end() ? DataType::Float32 : input->second;
  }

  std::string give_types() {
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i] < 0) continue;
      const std::string& variable = row_.outputs[std::min(i, row_.outputs.size() - 1)].variable;
      const auto known = bound_.find(variable);
      DataType type = DataType::Float32;
      if (variable.starts_with('@'))
        type = type_from(variable.substr(1));
      else if (known != bound_.end())
        type = known->second;
      else
        type = row_.types_of(variable).first();
      value(node_.outputs[i]).type = type;
    }
    return {};
  }

  OperatorGraph& graph_;
  const OperatorNode& node_;
  const OperatorRow& row_;
  std::map<std::string, DataType> bound_;  // the type variables
};

}  // namespace

std::string missing_row(const std::string& op, const std::string& domain, int opset) {
  const std::string name = domain.empty() ? op : domain + "::" + op;
  const auto rows = find_rows(op, domain);
  if (rows.empty()) return "the operator " + name + " is not supported";
  if (!rows.front().executed) return "the operator " + name + " is supported in imported networks only";
  return "the operator " + name + " is not supported in operator set " + std::to_string(opset);
}

void check_operators(OperatorGraph& graph) {
  for (const OperatorNode& node : graph.nodes) {
    // A value without a type comes from something that is refused already.
    const bool known = std::all_of(node.inputs.begin(), node.inputs.end(), [&](int input) {
      return input < 0 || graph.values[static_cast<std::size_t>(input)].type;
    });
    if (node.row == nullptr || !known) continue;
    std::string reason = NodeCheck(graph, node).run();
    if (!reason.empty()) graph.refusals.push_back({node.where(), std::move(reason)});
  }
}

}  // namespace espalier::model

#include "model/operators.hpp"

#include <algorithm>

#include "model/operator_table.hpp"

namespace espalier::model {
namespace {

constexpr std::string_view Microsoft = "com.microsoft";

const std::vector<Operator>& table() {
  static const std::vector<Operator> operators = {
      {"Add", "", 2, 2, {}},
      {"AveragePool",
       "",
       1,
       1,
       {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides", "dilations"}},
      {"BatchNormalization", "", 5, 5, {"epsilon", "is_test", "momentum", "spatial", "training_mode"}},
      {"Cast", "", 1, 1, {"to", "saturate"}},
      {"Clip", "", 1, 3, {"min", "max"}},
      {"Concat", "", 1, AnyNumber, {"axis"}},
      {"Constant", "", 0, 0, {"value", "value_float", "value_floats", "value_int", "value_ints"}},
      {"Conv", "", 2, 3, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
      {"ConvInteger", "", 2, 4, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
      {"DequantizeLinear", "", 2, 3, {"axis"}},
      {"Div", "", 2, 2, {}},
      {"DynamicQuantizeLinear", "", 1, 1, {}, 3},
      {"Dropout", "", 1, 3, {"is_test", "ratio", "seed"}},
      {"Flatten", "", 1, 1, {"axis"}},
      {"Gather", "", 2, 2, {"axis"}},
      {"Gemm", "", 2, 3, {"alpha", "beta", "transA", "transB"}},
      {"GlobalAveragePool", "", 1, 1, {}},
      {"GlobalMaxPool", "", 1, 1, {}},
      {"HardSigmoid", "", 1, 1, {"alpha", "beta"}},
      {"HardSwish", "", 1, 1, {}},
      {"Identity", "", 1, 1, {}},
      {"MatMul", "", 2, 2, {}},
      {"MatMulInteger", "", 2, 4, {}},
      {"MaxPool", "", 1, 1, {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"}},
      {"Mul", "", 2, 2, {}},
      {"Pad", "", 1, 4, {"mode", "pads", "value"}},
      {"QLinearConv", "", 8, 9, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
      {"QLinearMatMul", "", 8, 8, {}},
      {"QuantizeLinear", "", 2, 3, {"axis", "saturate"}},
      {"ReduceMean", "", 1, 2, {"axes", "keepdims", "noop_with_empty_axes"}},
      {"Relu", "", 1, 1, {}},
      {"Reshape", "", 1, 2, {"allowzero", "shape"}},
      {"Shape", "", 1, 1, {"start", "end"}},
      {"Sigmoid", "", 1, 1, {}},
      {"Softmax", "", 1, 1, {"axis"}},
      {"Squeeze", "", 1, 2, {"axes"}},
      {"Sub", "", 2, 2, {}},
      {"Transpose", "", 1, 1, {"perm"}},
      {"Unsqueeze", "", 1, 2, {"axes"}},
      {"DequantizeLinear", Microsoft, 2, 3, {"axis"}},
      {"QGemm", Microsoft, 6, 9, {"alpha", "transA", "transB"}},
      {"QLinearAdd", Microsoft, 7, 8, {}},
      {"QLinearAveragePool",
       Microsoft,
       4,
       5,
       {"auto_pad", "ceil_mode", "channels_last", "count_include_pad", "kernel_shape", "pads", "strides"}},
      {"QLinearConcat", Microsoft, 5, AnyNumber, {"axis"}},
      {"QLinearGlobalAveragePool", Microsoft, 4, 5, {"channels_last"}},
      {"QuantizeLinear", Microsoft, 2, 3, {"axis"}},
  };
  return operators;
}

/// Operators that only the operator table has, with what any of their rows allows.
std::vector<Operator> operators_of_rows() {
  std::vector<Operator> operators;
  for (const OperatorRow& row : operator_rows()) {
    const bool known = std::any_of(table().begin(), table().end(), [&](const Operator& entry) {
      return entry.name == row.name && entry.domain.empty();
    });
    if (known || !row.executed) continue;
    if (operators.empty() || operators.back().name != row.name)
      operators.push_back({row.name, "", AnyNumber, 0, {}, 0});
    Operator& entry = operators.back();
    entry.least_inputs = std::min(entry.least_inputs, row.least_inputs());
    entry.most_inputs = std::max(entry.most_inputs, row.most_inputs());
    entry.most_outputs = std::max(entry.most_outputs, row.most_outputs());
    for (const AttributeRow& attribute : row.attributes)
      if (std::find(entry.attributes.begin(), entry.attributes.end(), attribute.name) == entry.attributes.end())
        entry.attributes.emplace_back(attribute.name);
  }
  return operators;
}

const std::vector<Operator>& all_operators() {
  static const std::vector<Operator> operators = [] {
    std::vector<Operator> all = table();
    for (Operator& entry : operators_of_rows()) all.push_back(std::move(entry));
    return all;
  }();
  return operators;
}

}  // namespace

const Operator* find_operator(std::string_view name, std::string_view domain) {
  if (domain == "ai.onnx") domain = "";
  const auto& operators = all_operators();
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const Operator& o) { return o.name == name && o.domain == domain; });
  return found == operators.end() ? nullptr : &*found;
}

std::string supported_operators() {
  std::string text;
  for (const Operator& entry : all_operators()) {
    if (!entry.domain.empty() && find_operator(entry.name, "") != nullptr) continue;
    if (!text.empty()) text.append(" ");
    text.append(entry.name);
  }
  return text;
}

}  // namespace espalier::model

// From QuantizeLinear, DequantizeLinear and QLinear operators to quantised values.
#include <algorithm>
#include <set>

#include "model/refusals.hpp"
#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

/// Replaces one QLinear node by its parts, appended to `nodes`.
class Expander {
 public:
  Expander(Graph& graph, std::vector<Node>& nodes) : graph_(graph), nodes_(nodes) {}

  void expand(const Node& node) {
    const auto& in = node.inputs;
    const auto input = [&](std::size_t i) { return i < in.size() ? in[i] : -1; };
    Node real = node;
    real.inputs.clear();
    int scale = input(3), zero = input(4);
    if (node.op == "QLinearConv") {
      real.op = "Conv";
      real.inputs = {dequantise(in[0], in[1], in[2], 0), dequantise(in[3], in[4], in[5], 0)};
      if (node.has_input(8)) real.inputs.push_back(bias(node, in[8], in[1], in[4]));
      scale = in[6], zero = in[7];
    } else if (node.op == "QLinearMatMul") {
      real.op = "MatMul";
      real.inputs = {dequantise(in[0], in[1], in[2], 0), dequantise(in[3], in[4], in[5], 1)};
      scale = in[6], zero = in[7];
    } else if (node.op == "QGemm") {
      if (!node.has_input(7)) unsupported("a float32 result is not supported", node, "no y_scale", "quantise it");
      const int axis = node.integer("transB", 0) != 0 ? 0 : 1;
      real.op = "Gemm";
      real.inputs = {dequantise(in[0], in[1], in[2], 0), dequantise(in[3], in[4], in[5], axis)};
      if (node.has_input(6)) real.inputs.push_back(bias(node, in[6], in[1], in[4]));
      scale = in[7], zero = input(8);
    } else if (node.op == "QLinearAdd") {
      real.op = "Add";
      real.inputs = {dequantise(in[0], in[1], in[2], 0), dequantise(in[3], in[4], in[5], 0)};
      scale = in[6], zero = input(7);
    } else if (node.op == "QLinearConcat") {
      real.op = "Concat";
      for (std::size_t i = 2; i < in.size(); i += 3) real.inputs.push_back(dequantise(in[i], in[i + 1], in[i + 2], 0));
      scale = in[0], zero = in[1];
    } else {
      real.op = node.op.substr(std::string_view("QLinear").size());
      real.attributes.erase("channels_last");
      real.inputs = {dequantise(in[0], in[1], in[2], 0)};
    }
    real.outputs = {float_value(node.outputs[0])};
    Node quantise{node.name, "QuantizeLinear", {real.outputs[0], scale, zero}, node.outputs, {}};
    if (zero < 0) quantise.inputs.pop_back();
    nodes_.push_back(std::move(real));
    nodes_.push_back(std::move(quantise));
  }

 private:
  int float_value(int like) {
    const std::string name = graph_.value(like).name + ".real";
    const Shape shape = graph_.value(like).shape;
    return graph_.add_value(name, ElementType::Float, shape);
  }

  int dequantise(int value, int scale, int zero, std::int64_t axis) {
    const int result = float_value(value);
    Node node{graph_.value(value).name, "DequantizeLinear", {value, scale}, {result}, {{"axis", axis}}};
    if (zero >= 0) node.inputs.push_back(zero);
    nodes_.push_back(std::move(node));
    return result;
  }

  /// The int32 bias of QLinear operators has the scale of the products, with the factor `alpha` of QGemm.
  int bias(const Node& node, int value, int scale_in, int scale_weights) {
    if (!graph_.is_constant(scale_in) || !graph_.is_constant(scale_weights))
      unsupported("a scale is not constant", node, graph_.value(value).name, "export with constant scales");
    const float in = graph_.value(scale_in).constant->as_floats().at(0) * node.real("alpha", 1);
    std::vector<float> scales;
    for (const float scale : graph_.value(scale_weights).constant->as_floats()) scales.push_back(in * scale);
    const Shape shape = scales.size() == 1 ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
    const int scale = graph_.add_constant(graph_.value(value).name + ".scale", {shape, std::move(scales)});
    return dequantise(value, scale, -1, 0);
  }

  Graph& graph_;
  std::vector<Node>& nodes_;
};

/// Scale and zero point of a QuantizeLinear or DequantizeLinear as the contract counts them: int8, uint8 minus 128.
Quantisation read_quantisation(const Graph& graph, const Node& node, ElementType type) {
  const auto constant = [&](std::size_t input) -> const Array& {
    if (!graph.is_constant(node.inputs[input]))
      unsupported("scale or zero point is not constant", node, graph.value(node.inputs[input]).name,
                  "export with constant quantisation parameters");
    return *graph.value(node.inputs[input]).constant;
  };
  Quantisation result;
  result.scale = constant(1).as_floats();
  if (result.scale.size() != 1)
    unsupported("activations must have one scale", node, std::to_string(result.scale.size()),
                "quantise activations per tensor");
  const std::int64_t zero = node.has_input(2) ? constant(2).as_integers().at(0) : 0;
  result.zero = static_cast<std::int32_t>(type == ElementType::UInt8 ? zero - 128 : zero);
  return result;
}

/// Walks a sorted graph; `alias_` maps every removed value to the one that stands for it.
class Stripper {
 public:
  Stripper(Graph& graph, RefusalList& refusals) : graph_(graph), refusals_(refusals), alias_(graph.values.size()) {
    for (std::size_t i = 0; i < alias_.size(); ++i) alias_[i] = static_cast<int>(i);
    for (const Value& value : graph.values) types_.push_back(value.type);
    for (const Node& node : graph.nodes)
      if (node.op == "QuantizeLinear") read_by_quantise_.insert(node.inputs[0]);
  }

  void run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    std::set<int> integer_values;  // results of QuantizeLinear and what is computed from them without DequantizeLinear
    for (Node& node : nodes) {
      if (node.op == "QuantizeLinear") {
        integer_values.insert(node.outputs[0]);
        refusals_.attempt(node, [&] { quantise(node); });
      } else if (node.op == "DequantizeLinear") {
        refusals_.attempt(node, [&] { dequantise(node); });
      } else {
        if (!node.inputs.empty() && (integer_values.contains(node.inputs[0]) || is_integer_input(node.inputs[0]))) {
          refusals_.attempt(node, [&] { check_integer_operator(node); });
          integer_values.insert(node.outputs[0]);
        }
        for (int& input : node.inputs) input = input < 0 ? input : resolve(input);
        pass_on(node);
        graph_.nodes.push_back(std::move(node));
      }
    }
    for (Port& port : graph_.outputs) {
      port.quantised = integer_values.contains(port.value) || is_integer_input(port.value);
      port.value = resolve(port.value);
    }
    for (Port& port : graph_.inputs) port.quantised = port.type != ElementType::Float;
    pass_back();
  }

 private:
  int resolve(int value) const {
    return static_cast<std::size_t>(value) < alias_.size() ? alias_[static_cast<std::size_t>(value)] : value;
  }

  /// As the file has it: results of a Requantise have become reals.
  ElementType type_of(int value) const { return types_[static_cast<std::size_t>(value)]; }

  bool is_integer_input(int value) const {
    return value >= 0 && std::any_of(graph_.inputs.begin(), graph_.inputs.end(), [&](const Port& port) {
             return port.value == value && port.type != ElementType::Float;
           });
  }

  static bool keeps_values(const Node& node) {
    return node.op == "MaxPool" || node.op == "GlobalMaxPool" || node.op == "Reshape" || node.op == "Flatten" ||
           node.op == "Concat" || node.op == "Transpose";
  }

  void check_integer_operator(const Node& node) const {
    if (!keeps_values(node))
      unsupported("the operator is not supported on integers", node, node.op, "use DequantizeLinear before it");
  }

  void quantise(const Node& node) {
    const int source = resolve(node.inputs[0]);
    Value& value = graph_.value(source);
    const Quantisation wanted = read_quantisation(graph_, node, type_of(node.outputs[0]));
    if (!value.quantisation) value.quantisation = wanted;
    if (*value.quantisation == wanted) {
      alias_[static_cast<std::size_t>(node.outputs[0])] = source;
      return;
    }
    Value& out = graph_.value(node.outputs[0]);
    out.type = ElementType::Float;
    out.quantisation = wanted;
    graph_.nodes.push_back({node.name, "Requantise", {source}, node.outputs, {}});
  }

  void dequantise(const Node& node) {
    if (graph_.is_constant(node.inputs[0])) {
      alias_[static_cast<std::size_t>(node.outputs[0])] = dequantise_constant(node);
      return;
    }
    const int source = resolve(node.inputs[0]);
    Value& value = graph_.value(source);
    const Quantisation given = read_quantisation(graph_, node, type_of(node.inputs[0]));
    if (!value.quantisation) value.quantisation = given;
    if (!(*value.quantisation == given))
      unsupported("the scale differs from the one the tensor was quantised with", node, std::to_string(given.scale[0]),
                  "use the same scale and zero point");
    alias_[static_cast<std::size_t>(node.outputs[0])] = source;
  }

  /// An int32 array without zero point and the scales of its channels.
  int dequantise_constant(const Node& node) {
    const Value& source = graph_.value(node.inputs[0]);
    const Array& array = *source.constant;
    const auto scale = graph_.value(node.inputs[1]).constant->as_floats();
    auto zero = node.has_input(2) ? graph_.value(node.inputs[2]).constant->as_integers() : std::vector<std::int64_t>{0};
    zero.resize(scale.size(), zero[0]);
    const auto axis = static_cast<std::size_t>(node.integer("axis", 0));
    std::size_t inner = 1;
    for (std::size_t i = axis + 1; i < array.shape.size(); ++i) inner *= static_cast<std::size_t>(array.shape[i]);
    std::vector<std::int32_t> values;
    const auto integers = array.as_integers();
    values.reserve(integers.size());
    for (std::size_t i = 0; i < integers.size(); ++i) {
      values.push_back(static_cast<std::int32_t>(integers[i] - zero[i / inner % zero.size()]));
      if (values.back() + zero[i / inner % zero.size()] != integers[i])
        unsupported("a quantised constant exceeds 32 bits", node, std::to_string(integers[i]), "quantise to 8 bits");
    }
    const std::string name = source.name;
    const int result = graph_.add_constant(name, {array.shape, std::move(values)});
    graph_.value(result).quantisation = Quantisation{scale, 0, static_cast<int>(axis)};
    return result;
  }

  /// Operators that only select or clamp values keep the quantisation of their input.
  void pass_on(const Node& node) {
    Value& out = graph_.value(node.outputs[0]);
    if (out.quantisation || !(keeps_values(node) || node.op == "Relu" || node.op == "Clip" || node.op == "Pad")) return;
    // A QuantizeLinear behind this node decides otherwise; it is met later and inserts a Requantise only if it differs,
    // so values that a QuantizeLinear reads stay open.
    if (read_by_quantise_.contains(node.outputs[0])) return;
    const auto& first = graph_.value(node.inputs[0]).quantisation;
    for (const int input : node.inputs)
      if (graph_.value(input).quantisation != first) return;
    out.quantisation = first;
  }

  /// Quantisation commutes with selection: an input without its own takes the one of the result.
  void pass_back() {
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (!keeps_values(*node)) continue;
      const auto quantisation = graph_.value(node->outputs[0]).quantisation;
      if (!quantisation) continue;
      for (const int input : node->inputs)
        if (!graph_.value(input).quantisation && graph_.use_count(input) == 1)
          graph_.value(input).quantisation = quantisation;
    }
  }

  Graph& graph_;
  RefusalList& refusals_;
  std::vector<int> alias_;
  std::vector<ElementType> types_;  // of the values, in the file
  std::set<int> read_by_quantise_;  // values that a QuantizeLinear reads
};

}  // namespace

void expand_qlinear(Graph& graph) {
  std::vector<Node> nodes = std::move(graph.nodes);
  graph.nodes.clear();
  std::vector<Node> result;
  for (Node& node : nodes) {
    if (node.op.starts_with("QLinear") || node.op == "QGemm") {
      Expander(graph, result).expand(node);
    } else {
      result.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(result);
}

void strip_quantisation(Graph& graph, RefusalList& refusals) {
  if (!is_quantised(graph)) return;
  Stripper(graph, refusals).run();
}

}  // namespace espalier::model

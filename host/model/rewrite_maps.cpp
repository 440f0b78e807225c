// Every activation becomes a map of four axes.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "model/refusals.hpp"
#include "model/rewrites.hpp"
#include "model/window.hpp"

namespace espalier::model {
namespace {

/// The transpose of a matrix.
Array transpose(const Array& array) {
  Array result{{array.shape[1], array.shape[0]}, {}};
  const auto rows = static_cast<std::size_t>(array.shape[0]), columns = static_cast<std::size_t>(array.shape[1]);
  std::visit(
      [&](const auto& values) {
        std::decay_t<decltype(values)> moved(values.size());
        for (std::size_t y = 0; y < rows; ++y)
          for (std::size_t x = 0; x < columns; ++x) moved[x * rows + y] = values[y * columns + x];
        result.values = std::move(moved);
      },
      array.values);
  return result;
}

/// Rewrites a sorted graph node by node. While it runs, Value::shape is the shape in the file; maps_ holds the shape
/// [1, channels, height, width] of the same values in the same order; root_ says which value a reshaped one stands for.
class MapBuilder {
 public:
  MapBuilder(Graph& graph, RefusalList& refusals) : graph_(graph), refusals_(refusals) {}

  void run() {
    for (const Port& port : graph_.inputs) add_input(port);
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (node.op == "Reshape" || node.op == "Flatten") {
        reshape(node);
      } else {
        convert_or_keep_real(node);
      }
    }
    for (Node& node : graph_.nodes)
      for (int& input : node.inputs) input = input < 0 ? input : root(input);
    for (Port& port : graph_.outputs) {
      if (graph_.is_constant(port.value) && refusals_.empty())
        throw Error(ErrorCode::Unsupported, "the output is constant", "output '" + port.name + "'", {},
                    "remove the output");
      port.value = root(port.value);
    }
    for (std::size_t i = 0; i < graph_.values.size(); ++i)
      if (i < maps_.size() && !maps_[i].empty()) graph_.values[i].shape = maps_[i];
  }

 private:
  void reserve(int value) {
    const auto size = static_cast<std::size_t>(value) + 1;
    if (maps_.size() < size) maps_.resize(size);
    while (root_.size() < size) root_.push_back(static_cast<int>(root_.size()));
  }
  int root(int value) {
    reserve(value);
    return root_[static_cast<std::size_t>(value)];
  }
  Shape& map(int value) { return maps_[static_cast<std::size_t>(root(value))]; }
  const Shape& shape(int value) const { return graph_.value(value).shape; }

  void set_map(int value, Shape shape) {
    reserve(value);
    maps_[static_cast<std::size_t>(value)] = std::move(shape);
  }

  void add_input(const Port& port) {
    const std::string where = "input '" + port.name + "'";
    const auto refuse = [&](const char* problem, const char* action) {
      throw Error(ErrorCode::Unsupported, problem, where, to_string(port.shape), action);
    };
    const std::int64_t count = count_elements(port.shape, where);
    if (count < 1 || count > std::numeric_limits<int>::max()) refuse("the input is empty or too large", "resize it");
    if (port.shape.size() == 4) {
      if (port.shape[0] != 1) refuse("the batch size is not 1", "export with a free batch size or with batch 1");
      return set_map(port.value, port.shape);
    }
    set_map(port.value, {1, count, 1, 1});
  }

  /// The result of a refused node keeps its shape, so that what reads it is judged by itself.
  void leave_open(const Node& node) {
    for (const int output : node.outputs) {
      if (output < 0) continue;
      const Shape& logical = shape(output);
      const bool map = logical.size() == 4 && logical[0] == 1;
      set_map(output, map ? logical : Shape{1, count_elements(logical, node.where()), 1, 1});
    }
  }

  bool is_input(int value) const {
    return std::any_of(graph_.inputs.begin(), graph_.inputs.end(), [&](const Port& p) { return p.value == value; });
  }

  /// The order of the values stays; only operators behind it care about the shape.
  void reshape(const Node& node) {
    const int source = node.inputs[0], result = node.outputs[0];
    if (graph_.is_constant(source)) {
      const Array& array = *graph_.value(source).constant;
      graph_.value(result).constant = Array{shape(result), array.values};
      graph_.value(result).quantisation = graph_.value(source).quantisation;
      if (graph_.value(source).quantisation && graph_.value(source).quantisation->scale.size() > 1)
        unsupported("a reshaped constant has several scales", node, graph_.value(source).name, "quantise per tensor");
      return;
    }
    const Shape& wanted = shape(result);
    if (wanted.size() == 4 && wanted[0] == 1 && is_input(root(source)) && fresh(root(source))) map(source) = wanted;
    if (graph_.value(source).quantisation == graph_.value(result).quantisation) {
      reserve(result);
      root_[static_cast<std::size_t>(result)] = root(source);
      return;
    }
    set_map(result, map(source));
    graph_.nodes.push_back({node.name, "Requantise", {source}, {result}, {}});
  }

  /// No operator has read the value yet.
  bool fresh(int value) {
    return std::none_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
      return std::any_of(node.inputs.begin(), node.inputs.end(), [&](int i) { return i >= 0 && root(i) == value; });
    });
  }

  /// What has no form of the machine is computed in float32 on the CPU, if it has one result of known shape.
  void convert_or_keep_real(const Node& node) {
    source_op_ = node.op;
    try {
      convert(node);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      if (can_be_real(node))
        return keep_real(node, error.value().empty() ? error.summary() : error.summary() + " (" + error.value() + ")");
      refusals_.add(node, error);
      leave_open(node);
    }
  }

  bool can_be_real(const Node& node) {
    if (node.outputs.size() != 1 || node.op == "Requantise" || node.op.ends_with("Linear")) return false;
    bool activation = false;
    for (const int input : node.inputs) {
      if (input < 0 || graph_.is_constant(input)) continue;
      if (map(input).empty()) return false;
      activation = true;
    }
    const Value& result = graph_.value(node.outputs[0]);
    return activation && result.known && !result.shape.empty() && result.type == ElementType::Float;
  }

  void keep_real(const Node& node, const std::string& refusal) {
    Node real = node;
    real.op = "Real";
    const Shape& logical = shape(node.outputs[0]);
    real.attributes["real_op"] = node.op;
    real.attributes["real_output"] = logical;
    real.attributes["refusal"] = refusal;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.has_input(i)) real.attributes["real_input" + std::to_string(i)] = shape(node.inputs[i]);
    Shape result{1, count_elements(logical, node.where()), 1, 1};
    if (logical[0] == 1 && logical.size() <= 4 && logical.size() > 1) {
      result = logical;
      result.resize(4, 1);
    }
    keep(std::move(real), result);
  }

  void convert(Node node) {
    const std::string& op = node.op;
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.has_input(i) && !graph_.is_constant(node.inputs[i]) && map(node.inputs[i]).empty())
        unsupported("an input is neither constant nor an activation", node, graph_.value(node.inputs[i]).name,
                    "export for inference");
    if (op == "Conv") return convolution(std::move(node));
    if (op == "Gemm" || op == "MatMul") return gemm(std::move(node));
    if (op == "BatchNormalization") return batch_normalization(node);
    if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") return arithmetic(std::move(node));
    if (op == "Concat" && pads_channels(node)) return;
    if (op == "Concat") return concat(std::move(node));
    need_activation(node, 0);
    if (op == "Pad" && pads_only_channels(node)) return;
    if (op == "Transpose")
      unsupported("the order of the axes cannot be changed here", node, to_string(node.integers("perm", {})),
                  "only before a product with constant weights, or axes of size 1");
    if (op == "Relu") {
      node.op = "Clip";
      node.attributes = {{"min", 0.0F}, {"max", std::numeric_limits<float>::max()}};
    }
    if (op == "Clip" || op == "Requantise") {
      const Shape result = map(node.inputs[0]);
      return keep(std::move(node), result);
    }
    if (op == "ReduceMean") {
      need_map(node);
      node.op = "GlobalAveragePool";
      node.attributes.clear();
      const Shape in = map(node.inputs[0]);
      return keep(std::move(node), {1, in[1], 1, 1});
    }
    if (op == "MaxPool" || op == "AveragePool" || op == "GlobalAveragePool" || op == "GlobalMaxPool" || op == "Pad") {
      need_map(node);
      if (op == "Pad") check_pad(node);
      const Shape result = shape(node.outputs[0]);
      return keep(std::move(node), result);
    }
    unsupported("the operator is not supported here", node, op,
                op == "Softmax" ? "keep Softmax at the end of the network" : "export for inference");
  }

  void keep(Node node, const Shape& result) {
    node.attributes.emplace("source_op", source_op_);
    set_map(node.outputs[0], result);
    graph_.nodes.push_back(std::move(node));
  }

  void need_activation(const Node& node, std::size_t input) const {
    if (!node.has_input(input) || graph_.is_constant(node.inputs[input]))
      unsupported("the input is constant", node, std::to_string(input), "export with constant folding");
  }

  void need_map(const Node& node) {
    if (map(node.inputs[0]) != shape(node.inputs[0]))
      unsupported("a reshaped tensor cannot be used as a map", node, to_string(shape(node.inputs[0])),
                  "keep batch x channels x height x width");
  }

  void check_pad(const Node& node) const {
    const auto pads = node.integers("pads", {});
    if (pads.size() != 8 || pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0)
      unsupported("only height and width can be padded", node, to_string(pads), "pad the last two axes");
    if (std::abs(node.real("value", 0)) > 0)
      unsupported("only zero padding is supported", node, std::to_string(node.real("value", 0)), "pad with zeros");
  }

  void convolution(Node node) {
    need_activation(node, 0);
    if (!graph_.is_constant(node.inputs[1]) || (node.has_input(2) && !graph_.is_constant(node.inputs[2])))
      unsupported("the weights are not constant", node, graph_.value(node.inputs[1]).name,
                  "export with constant weights");
    const Value& weights = graph_.value(node.inputs[1]);
    if (weights.quantisation && weights.quantisation->scale.size() > 1 && weights.quantisation->axis != 0)
      unsupported("the weight scales are not per output channel", node, std::to_string(weights.quantisation->axis),
                  "quantise weights along axis 0");
    const Shape logical = shape(node.inputs[0]), actual = map(node.inputs[0]);
    if (logical != actual) {
      const Window window = read_window(node, {1, 1}, {1, 1});
      const bool point = logical[2] == 1 && logical[3] == 1 && window.outputs(0, 1) == 1 && window.outputs(1, 1) == 1 &&
                         window.kernel == std::array<std::int64_t, 2>{1, 1} && node.integer("group", 1) == 1;
      if (!point || window.before != std::array<std::int64_t, 2>{0, 0})
        unsupported("a reshaped tensor cannot be used as a map", node, to_string(logical), "keep the map's shape");
      Value reshaped = weights;
      reshaped.shape = {weights.shape[0], actual[1], actual[2], actual[3]};
      reshaped.constant->shape = reshaped.shape;
      graph_.values.push_back(std::move(reshaped));
      node.inputs[1] = static_cast<int>(graph_.values.size()) - 1;
      write_window(node, Window{{actual[2], actual[3]}, {1, 1}, {1, 1}, {0, 0}, {0, 0}});
    }
    const Shape result = shape(node.outputs[0]);
    keep(std::move(node), result);
  }

  void gemm(Node node) {
    need_activation(node, 0);
    if (!graph_.is_constant(node.inputs[1]) || (node.has_input(2) && !graph_.is_constant(node.inputs[2])))
      unsupported("the second factor is not constant", node, graph_.value(node.inputs[1]).name,
                  "only products with constant weights are supported");
    if (node.integer("transA", 0) != 0) unsupported("transA is not supported", node, "1", "transpose the input");
    if (shape(node.outputs[0])[0] != 1)
      unsupported("the batch size is not 1", node, to_string(shape(node.outputs[0])), "export with batch 1");
    Value weights = graph_.value(node.inputs[1]);
    const bool rows_are_outputs = node.integer("transB", 0) != 0;
    if (weights.quantisation && weights.quantisation->scale.size() > 1 &&
        weights.quantisation->axis != (rows_are_outputs ? 0 : 1))
      unsupported("the weight scales are not per output channel", node, std::to_string(weights.quantisation->axis),
                  "quantise weights along the output axis");
    if (!rows_are_outputs) weights.constant = transpose(*weights.constant);
    if (weights.quantisation) weights.quantisation->axis = 0;
    scale(weights, node.real("alpha", 1));
    const Shape actual = map(node.inputs[0]);
    weights.shape = weights.constant->shape = {weights.constant->shape[0], actual[1], actual[2], actual[3]};
    const std::int64_t outputs = weights.shape[0];
    graph_.values.push_back(std::move(weights));
    const int weight_index = static_cast<int>(graph_.values.size()) - 1;
    Node result{node.name, "Conv", {node.inputs[0], weight_index}, node.outputs, {}};
    if (node.has_input(2)) result.inputs.push_back(gemm_bias(node, outputs));
    write_window(result, Window{{actual[2], actual[3]}, {1, 1}, {1, 1}, {0, 0}, {0, 0}});
    keep(std::move(result), {1, outputs, 1, 1});
  }

  /// The bias, one value per output.
  int gemm_bias(const Node& node, std::int64_t outputs) {
    Value bias = graph_.value(node.inputs[2]);
    scale(bias, node.real("beta", 1));
    if (static_cast<std::int64_t>(bias.constant->size()) != outputs) {
      const Array real = real_constant(bias);
      bias.constant = Array{{outputs}, std::vector<float>(static_cast<std::size_t>(outputs), real.as_floats().at(0))};
      bias.quantisation.reset();
    }
    bias.shape = bias.constant->shape = {outputs};
    if (bias.quantisation) bias.quantisation->axis = 0;
    graph_.values.push_back(std::move(bias));
    return static_cast<int>(graph_.values.size()) - 1;
  }

  static void scale(Value& value, float factor) {
    if (std::abs(factor - 1.0F) <= 0) return;
    value.constant = real_constant(value);
    value.quantisation.reset();
    for (float& element : std::get<std::vector<float>>(value.constant->values)) element *= factor;
  }

  /// y[c] = x[c] * factor[c] + shift[c] as a depthwise convolution of one tap.
  void affine(const Node& node, int source, const std::vector<double>& factor, const std::vector<double>& shift) {
    const Shape map_shape = map(source);
    const std::int64_t channels = map_shape[1];
    const auto constant = [&](const char* what, Shape constant_shape, const std::vector<double>& values) {
      return graph_.add_constant(node.name + what,
                                 {std::move(constant_shape), std::vector<float>(values.begin(), values.end())});
    };
    const int weights = constant(".factor", {channels, 1, 1, 1}, factor);
    const int bias = constant(".shift", {channels}, shift);
    Node result{
        node.name, "Conv", {source, weights, bias}, node.outputs, {{"group", channels}, {"affine", std::int64_t{1}}}};
    write_window(result, {});
    keep(std::move(result), map_shape);
  }

  void batch_normalization(const Node& node) {
    need_activation(node, 0);
    std::vector<std::vector<float>> parameters;
    for (std::size_t i = 1; i < 5; ++i) {
      if (!graph_.is_constant(node.inputs[i]))
        unsupported("a parameter is not constant", node, graph_.value(node.inputs[i]).name, "export for inference");
      parameters.push_back(real_constant(graph_.value(node.inputs[i])).as_floats());
    }
    need_channels(node, node.inputs[0]);
    std::vector<double> factor, shift;
    for (std::size_t c = 0; c < parameters[0].size(); ++c) {
      const double variance = static_cast<double>(parameters[3][c]) + node.real("epsilon", 1e-5F);
      if (!(variance > 0))
        throw Error(ErrorCode::Model, "a variance is not positive", node.where(), std::to_string(variance),
                    "export the model again");
      factor.push_back(parameters[0][c] / std::sqrt(variance));
      shift.push_back(parameters[1][c] - parameters[2][c] * factor[c]);
    }
    affine(node, node.inputs[0], factor, shift);
  }

  void need_channels(const Node& node, int value) {
    if (shape(value).size() < 2 || shape(value)[1] != map(value)[1])
      unsupported("arithmetic per element of a flattened map is not supported", node, to_string(shape(value)),
                  "apply it before flattening");
  }

  void arithmetic(Node node) {
    const bool first = graph_.is_constant(node.inputs[0]), second = graph_.is_constant(node.inputs[1]);
    if (first && second) unsupported("both inputs are constant", node, node.op, "export with constant folding");
    if (first || second) return arithmetic_with_constant(node, first ? 0 : 1);
    if (node.op != "Add") unsupported("only the sum of two activations is supported", node, node.op, "use Add");
    const Shape a = map(node.inputs[0]), b = map(node.inputs[1]);
    if (a != b || shape(node.inputs[0]) != shape(node.inputs[1]))
      unsupported("the shapes of the activations differ", node, to_string(a) + " and " + to_string(b),
                  "add tensors of one shape");
    keep(std::move(node), a);
  }

  void arithmetic_with_constant(const Node& node, std::size_t constant_input) {
    const int source = node.inputs[1 - constant_input], constant = node.inputs[constant_input];
    need_channels(node, source);
    if (shape(node.outputs[0]) != shape(source))
      unsupported("a constant that enlarges the activation is not supported", node, to_string(shape(constant)),
                  "use one value per channel");
    const std::vector<double> values = per_channel(node, constant, shape(source));
    std::vector<double> factor(values.size(), 1.0), shift(values.size(), 0.0);
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (node.op == "Add") shift[c] = values[c];
      if (node.op == "Mul") factor[c] = values[c];
      if (node.op == "Sub") {
        factor[c] = constant_input == 0 ? -1.0 : 1.0;
        shift[c] = constant_input == 0 ? values[c] : -values[c];
      }
      if (node.op == "Div") {
        if (constant_input == 0) unsupported("dividing by an activation is not supported", node, "Div", "use Mul");
        factor[c] = 1.0 / values[c];
      }
      if (!std::isfinite(factor[c]) || !std::isfinite(shift[c]))
        throw Error(ErrorCode::Model, "a constant is not finite", node.where(), std::to_string(values[c]),
                    "export the model again");
    }
    affine(node, source, factor, shift);
  }

  /// A constant that is broadcast to `full` as one value per index of axis 1.
  std::vector<double> per_channel(const Node& node, int constant, const Shape& full) const {
    Shape padded(full.size() - std::min(full.size(), shape(constant).size()), 1);
    padded.insert(padded.end(), shape(constant).begin(), shape(constant).end());
    for (std::size_t i = 0; i < padded.size(); ++i)
      if (i != 1 && padded[i] != 1)
        unsupported("the constant does not have one value per channel", node, to_string(shape(constant)),
                    "use a scalar or the shape [channels, 1, 1]");
    const auto values = real_constant(graph_.value(constant)).as_floats();
    std::vector<double> result(values.begin(), values.end());
    if (result.size() == 1) result.assign(static_cast<std::size_t>(full[1]), result[0]);
    return result;
  }

  /// y[before + c] = x[c], zero elsewhere: a convolution of one tap.
  void place_channels(const Node& node, int source, std::int64_t before, std::int64_t after) {
    const Shape map_shape = map(source);
    const std::int64_t channels = map_shape[1], outputs = before + channels + after;
    std::vector<float> weights(static_cast<std::size_t>(outputs * channels), 0.0F);
    for (std::int64_t c = 0; c < channels; ++c) weights[static_cast<std::size_t>((before + c) * channels + c)] = 1.0F;
    const int constant = graph_.add_constant(node.name + ".places", {{outputs, channels, 1, 1}, std::move(weights)});
    Node result{node.name, "Conv", {source, constant}, node.outputs, {}};
    write_window(result, {});
    keep(std::move(result), {1, outputs, map_shape[2], map_shape[3]});
  }

  /// Whether the weights may be reals: not where the tensors bring their own quantisation.
  bool may_place(const Node& node, int source) {
    constexpr std::int64_t most_channels = 1024;
    const Shape &in = map(source), &out = shape(node.outputs[0]);
    return in.size() == 4 && in == shape(source) && out.size() == 4 && out[0] == 1 && out[1] <= most_channels &&
           !graph_.value(source).quantisation && !graph_.value(node.outputs[0]).quantisation;
  }

  /// Zeros that are joined to the channels of one map.
  bool pads_channels(const Node& node) {
    if (node.integer("axis", 1) != 1) return false;
    int source = -1;
    std::array<std::int64_t, 2> around{0, 0};
    for (const int input : node.inputs) {
      if (!graph_.is_constant(input)) {
        if (source >= 0) return false;
        source = input;
        continue;
      }
      const Value& value = graph_.value(input);
      const std::vector<float> numbers = value.constant->as_floats();
      const bool zeros =
          std::all_of(numbers.begin(), numbers.end(), [](float number) { return !(std::abs(number) > 0); });
      if (!zeros || value.quantisation || value.shape.size() != 4) return false;
      around[source < 0 ? 0 : 1] += value.shape[1];
    }
    if (source < 0 || around[0] + around[1] == 0 || !may_place(node, source)) return false;
    place_channels(node, source, around[0], around[1]);
    return true;
  }

  bool pads_only_channels(const Node& node) {
    const auto pads = node.integers("pads", {});
    if (pads.size() != 8 || pads[1] + pads[5] == 0 || std::abs(node.real("value", 0)) > 0) return false;
    for (const std::size_t other : {0U, 2U, 3U, 4U, 6U, 7U})
      if (pads[other] != 0) return false;
    if (!may_place(node, node.inputs[0])) return false;
    place_channels(node, node.inputs[0], pads[1], pads[5]);
    return true;
  }

  void concat(Node node) {
    Shape result;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      need_activation(node, i);
      const Shape& part = map(node.inputs[i]);
      if (node.integer("axis", 1) != 1 || shape(node.inputs[i]).size() < 2)
        unsupported("only concatenation along the channels is supported", node,
                    "axis " + std::to_string(node.integer("axis", 1)), "concatenate along axis 1");
      const Shape& logical = shape(node.inputs[i]);
      if (logical != part && (logical.size() != 2 || logical[0] != 1))
        unsupported("a reshaped tensor cannot be concatenated", node, to_string(logical), "concatenate maps");
      if (i == 0) {
        result = part;
        continue;
      }
      if (part[2] != result[2] || part[3] != result[3])
        unsupported("the flattened maps differ in height or width", node, to_string(part), "concatenate maps");
      result[1] += part[1];
    }
    keep(std::move(node), result);
  }

  Graph& graph_;
  RefusalList& refusals_;
  std::vector<Shape> maps_;
  std::vector<int> root_;
  std::string source_op_;  // of the node that is being converted
};

}  // namespace

Array real_constant(const Value& value) {
  Array result{value.constant->shape, value.constant->as_floats()};
  if (!value.quantisation) return result;
  const auto& scale = value.quantisation->scale;
  std::size_t inner = 1;
  for (std::size_t i = static_cast<std::size_t>(value.quantisation->axis) + 1; i < result.shape.size(); ++i)
    inner *= static_cast<std::size_t>(result.shape[i]);
  auto& reals = std::get<std::vector<float>>(result.values);
  for (std::size_t i = 0; i < reals.size(); ++i) reals[i] *= scale[i / inner % scale.size()];
  return result;
}

void to_maps(Graph& graph, RefusalList& refusals) { MapBuilder(graph, refusals).run(); }

}  // namespace espalier::model

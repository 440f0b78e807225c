#include "compress/lower.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "compress/weights.hpp"
#include "cpu/float_reference.hpp"
#include "esp_error.hpp"
#include "model/scales.hpp"
#include "model/window.hpp"

namespace espalier::compress {
namespace {

using model::Feature;
using model::Graph;
using model::Layer;
using model::LayerKind;
using model::Node;

class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph), feature_of_(graph.values.size(), -1) {}

  Lowered run() {
    result_.network.name = graph_.name;
    for (const model::Port& port : graph_.inputs) add_input(port);
    for (const Node& node : graph_.nodes) lower(node);
    for (const model::Port& port : graph_.outputs) add_output(port);
    model::validate(result_.network);
    return {std::move(result_), std::move(feature_of_)};
  }

 private:
  model::Network& network() { return result_.network; }
  Feature& feature(int index) { return network().features[static_cast<std::size_t>(index)]; }

  int add_feature(const std::string& name, const model::Shape& shape, double scale, std::int32_t zero) {
    Feature feature;
    feature.name = name;
    feature.channels = static_cast<int>(shape.at(1));
    feature.height = static_cast<int>(shape.at(2));
    feature.width = static_cast<int>(shape.at(3));
    feature.scale = scale;
    feature.zero = zero;
    network().features.push_back(feature);
    return static_cast<int>(network().features.size()) - 1;
  }

  int add_feature(int value, const std::string& where) {
    const model::Value& v = graph_.value(value);
    if (!v.quantisation)
      throw Error(ErrorCode::Unsupported, "the tensor has no quantisation", where, v.name,
                  "put QuantizeLinear and DequantizeLinear behind it, or give the float model and calibration inputs");
    if (v.quantisation->zero < -128 || v.quantisation->zero > 127)
      throw Error(ErrorCode::Model, "the zero point is out of range", where, std::to_string(v.quantisation->zero),
                  "quantise to int8 or uint8");
    const int index =
        add_feature(v.name, v.shape, static_cast<double>(v.quantisation->scale.at(0)), v.quantisation->zero);
    feature_of_[static_cast<std::size_t>(value)] = index;
    return index;
  }

  int feature_of(int value) const { return feature_of_[static_cast<std::size_t>(value)]; }

  void add_input(const model::Port& port) {
    using enum model::ElementType;
    if (port.type != Float && port.type != Int8 && port.type != UInt8)
      throw Error(ErrorCode::Unsupported, "the element type of an input is not supported", "input '" + port.name + "'",
                  model::to_string(port.type), "use float32, int8 or uint8 inputs");
    const model::Value& value = graph_.value(port.value);
    // What nobody reads needs no range of its own.
    const bool open = !value.quantisation && graph_.use_count(port.value) == 0;
    const int index =
        open ? add_feature(value.name, value.shape, 1.0, 0) : add_feature(port.value, "input '" + port.name + "'");
    network().inputs.push_back(index);
    const auto scale = static_cast<float>(feature(index).scale);
    result_.inputs.push_back({port.name, port.type, port.shape, scale, feature(index).zero});
  }

  void add_output(const model::Port& port) {
    int index = feature_of(port.value);
    const auto is = [&](const std::vector<int>& list) {
      return std::find(list.begin(), list.end(), index) != list.end();
    };
    // An output of its own, so that no tensor is both input and output or two outputs of the network.
    if (is(network().inputs) || is(network().outputs)) {
      const Feature copied = feature(index);
      network().features.push_back(copied);
      const int copy = static_cast<int>(network().features.size()) - 1;
      feature(copy).name = port.name;
      Layer layer = make_layer(port.name, "Identity", LayerKind::Requantise, {index}, copy);
      layer.scale = {abi::make_scale(1.0)};
      network().layers.push_back(layer);
      index = copy;
    }
    network().outputs.push_back(index);
    const bool integers = port.quantised.value_or(false);
    const Feature& out = feature(index);
    result_.outputs.push_back({port.name, integers ? port.type : model::ElementType::Float, port.shape,
                               static_cast<float>(out.scale), out.zero, port.softmax_axis});
  }

  static Layer make_layer(const std::string& name, const std::string& op, LayerKind kind, std::vector<int> inputs,
                          int output) {
    Layer layer;
    layer.name = name;
    layer.op = op;
    layer.kind = kind;
    layer.inputs = std::move(inputs);
    layer.output = output;
    return layer;
  }

  /// The operator as a graph of its own, between the features that it reads and the one that it makes.
  void real(const Node& node) {
    auto graph = std::make_shared<Graph>();
    graph->name = node.name;
    graph->opset = graph_.opset;
    Node plain = node;
    plain.op = node.text("real_op", {});
    std::erase_if(plain.attributes, [](const auto& attribute) { return attribute.first.starts_with("real_"); });
    Layer layer = make_layer(node.name, plain.op, LayerKind::Real, {}, -1);
    for (std::size_t i = 0; i < plain.inputs.size(); ++i) {
      if (!node.has_input(i)) continue;
      const int source = node.inputs[i];
      plain.inputs[i] = static_cast<int>(graph->values.size());
      graph->values.push_back(graph_.value(source));
      if (graph_.is_constant(source)) continue;
      model::Value& value = graph->values.back();
      value.shape = node.integers("real_input" + std::to_string(i), {});
      graph->inputs.push_back({plain.inputs[i], value.name, value.type, value.shape, {}, {}});
      layer.inputs.push_back(feature_of(source));
    }
    layer.output = add_feature(node.outputs[0], node.where());
    layer.refusal = node.text("refusal", {});
    graph->values.push_back(graph_.value(node.outputs[0]));
    graph->values.back().shape = node.integers("real_output", {});
    plain.outputs = {static_cast<int>(graph->values.size()) - 1};
    graph->outputs.push_back(
        {plain.outputs[0], graph->values.back().name, graph->values.back().type, graph->values.back().shape, {}, {}});
    graph->nodes.push_back(std::move(plain));
    cpu::FloatExecutor executable(*graph);  // throws for operators that it does not know
    layer.real = std::move(graph);
    network().layers.push_back(std::move(layer));
  }

  void lower(const Node& node) {
    if (node.op == "Real") return real(node);
    std::vector<int> inputs;
    const bool weighted = node.op == "Conv";
    for (const int input : node.inputs) {
      if (inputs.size() == 1 && weighted) break;
      inputs.push_back(feature_of(input));
      if (inputs.back() < 0)
        throw Error(ErrorCode::Unsupported, "an input is not an activation", node.where(), graph_.value(input).name,
                    "export for inference");
    }
    const int output = add_feature(node.outputs[0], node.where());
    Layer layer =
        make_layer(node.name, node.text("source_op", node.op), LayerKind::Requantise, std::move(inputs), output);
    set_clamp(node, layer);
    if (weighted) return convolution(node, std::move(layer));
    if (node.op == "MaxPool" || node.op == "GlobalMaxPool") return max_pool(node, std::move(layer));
    if (node.op == "AveragePool" || node.op == "GlobalAveragePool") return average_pool(node, std::move(layer));
    if (node.op == "Add") return add(std::move(layer));
    if (node.op == "Concat") return concat(std::move(layer));
    if (node.op == "Clip" || node.op == "Requantise") {
      layer.scale = {scale(layer, ratio(layer.inputs[0], output))};
      network().layers.push_back(std::move(layer));
      return;
    }
    throw Error(ErrorCode::Unsupported, "the operator cannot be lowered", node.where(), node.op, "rewrite the graph");
  }

  double ratio(int from, int to) { return feature(from).scale / feature(to).scale; }

  static abi::Scale scale(const Layer& layer, double value) {
    if (!(value > 0) || value >= abi::MaxScale)
      throw Error(ErrorCode::Unsupported, "the ratio of input to output scale is out of range",
                  "layer '" + layer.name + "'", std::to_string(value), "quantise with scales of similar size");
    return abi::make_scale(value);
  }

  /// Quantising is monotone, so clamping before it equals clamping the integers at the quantised bounds.
  void set_clamp(const Node& node, Layer& layer) {
    const Feature& out = feature(layer.output);
    const bool clip = node.op == "Clip";
    const auto level = [&](float bound) {
      const double rounded = std::nearbyint(static_cast<double>(bound) / out.scale) + out.zero;
      return static_cast<std::int32_t>(std::clamp(rounded, -128.0, 127.0));
    };
    layer.low = level(node.real(clip ? "min" : "clamp_low", std::numeric_limits<float>::lowest()));
    layer.high = level(node.real(clip ? "max" : "clamp_high", std::numeric_limits<float>::max()));
    layer.high = std::max(layer.high, layer.low);
  }

  static void set_window(const Node& node, Layer& layer) {
    const model::Window window = model::read_window(node, {1, 1}, {1, 1});
    const auto size = [](std::int64_t value) { return static_cast<int>(value); };
    layer.kernel_h = size(window.kernel[0]), layer.kernel_w = size(window.kernel[1]);
    layer.stride_h = size(window.stride[0]), layer.stride_w = size(window.stride[1]);
    layer.dilation_h = size(window.dilation[0]), layer.dilation_w = size(window.dilation[1]);
    layer.pad_top = size(window.before[0]), layer.pad_left = size(window.before[1]);
    layer.pad_bottom = size(window.after[0]), layer.pad_right = size(window.after[1]);
  }

  void convolution(const Node& node, Layer layer) {
    layer.kind = LayerKind::Convolution;
    set_window(node, layer);
    layer.groups = static_cast<int>(node.integer("group", 1));
    const model::Value* bias = node.has_input(2) ? &graph_.value(node.inputs[2]) : nullptr;
    const double scale_in = feature(layer.inputs[0]).scale;
    IntegerWeights integers = integer_weights(graph_.value(node.inputs[1]), bias, scale_in, node.where());
    for (const double weight_scale : integers.scale)
      layer.scale.push_back(scale(layer, scale_in * weight_scale / feature(layer.output).scale));
    layer.bias = std::move(integers.bias);
    const auto fits = [](std::int32_t w) { return w >= -128 && w <= 127; };
    if (std::all_of(integers.weights.begin(), integers.weights.end(), fits)) {
      layer.weights.assign(integers.weights.begin(), integers.weights.end());
    } else {
      split_weights(layer, integers.weights);
    }
    network().layers.push_back(std::move(layer));
  }

  /// All channels, and all of them again.
  Layer join_copies(const Layer& layer, int copies, int wide) const {
    Layer concat = make_layer(layer.name + ".copies", "Concat", LayerKind::Concat,
                              std::vector<int>(static_cast<std::size_t>(copies), layer.inputs[0]), wide);
    concat.scale.assign(static_cast<std::size_t>(copies), abi::make_scale(1.0));
    return concat;
  }

  /// Every channel several times in a row, so that the copies of a group's channels stay in their group: one tap of
  /// weight 1, whose requantisation with the scale 1 gives the same integers.
  Layer repeat_channels(const Layer& layer, int copies, int wide) {
    const Feature& in = feature(layer.inputs[0]);
    Layer repeat = make_layer(layer.name + ".copies", "Concat", LayerKind::Convolution, {layer.inputs[0]}, wide);
    const auto outputs = static_cast<std::size_t>(in.channels) * static_cast<std::size_t>(copies);
    repeat.groups = in.channels;
    repeat.weights.assign(outputs, 1);
    repeat.bias.assign(outputs, 0);
    repeat.scale.assign(outputs, abi::make_scale(1.0));
    return repeat;
  }

  /// w = w1 + w2 + w3 with every part in int8, on copies of the input channels.
  void split_weights(Layer& layer, const std::vector<std::int32_t>& weights) {
    const Feature in = feature(layer.inputs[0]);
    const auto largest = *std::max_element(weights.begin(), weights.end());
    const int copies = largest > 254 ? 3 : 2;
    const int wide = add_feature(in.name + ".copies", {1, std::int64_t{in.channels} * copies, in.height, in.width},
                                 in.scale, in.zero);
    network().layers.push_back(layer.groups == 1 ? join_copies(layer, copies, wide)
                                                 : repeat_channels(layer, copies, wide));
    layer.inputs = {wide};
    const std::size_t taps = static_cast<std::size_t>(layer.kernel_h) * static_cast<std::size_t>(layer.kernel_w);
    // What is repeated as a whole: all inputs of an output, or in groups one input channel.
    const std::size_t row = layer.groups == 1 ? static_cast<std::size_t>(in.channels) * taps : taps;
    for (std::size_t start = 0; start < weights.size(); start += row) {
      std::vector<std::int32_t> rest(weights.begin() + static_cast<std::ptrdiff_t>(start),
                                     weights.begin() + static_cast<std::ptrdiff_t>(start + row));
      for (int copy = 0; copy < copies; ++copy)
        for (std::int32_t& weight : rest) {
          const std::int32_t part = std::clamp(weight, -128, 127);
          layer.weights.push_back(static_cast<std::int8_t>(part));
          weight -= part;
        }
    }
  }

  bool same_quantisation(int a, int b) {
    return feature(a).zero == feature(b).zero && std::equal_to<>{}(feature(a).scale, feature(b).scale);
  }

  void max_pool(const Node& node, Layer layer) {
    layer.kind = node.op == "MaxPool" ? LayerKind::MaxPool : LayerKind::GlobalMaxPool;
    if (layer.kind == LayerKind::MaxPool) set_window(node, layer);
    const int in = layer.inputs[0], out = layer.output;
    if (same_quantisation(in, out)) {
      network().layers.push_back(std::move(layer));
      return;
    }
    const Feature source = feature(in);
    const int between =
        add_feature(feature(out).name + ".pooled", graph_.value(node.outputs[0]).shape, source.scale, source.zero);
    Layer change = make_layer(layer.name + ".requantise", "Requantise", LayerKind::Requantise, {between}, out);
    change.scale = {scale(change, ratio(in, out))};
    change.low = layer.low, change.high = layer.high;
    layer.low = -128, layer.high = 127;
    layer.output = between;
    network().layers.push_back(std::move(layer));
    network().layers.push_back(std::move(change));
  }

  void average_pool(const Node& node, Layer layer) {
    layer.kind = node.op == "AveragePool" ? LayerKind::AveragePool : LayerKind::GlobalAveragePool;
    if (layer.kind == LayerKind::AveragePool) set_window(node, layer);
    layer.count_include_padding = node.integer("count_include_pad", 0) != 0;
    layer.ratio = ratio(layer.inputs[0], layer.output);
    scale(layer, layer.ratio);
    network().layers.push_back(std::move(layer));
  }

  void add(Layer layer) {
    layer.kind = LayerKind::Add;
    const double a = ratio(layer.inputs[0], layer.output), b = ratio(layer.inputs[1], layer.output);
    scale(layer, a);
    scale(layer, b);
    model::set_add_scales(layer, a, b);
    network().layers.push_back(std::move(layer));
  }

  /// A concatenation does not clamp: what it should clamp is requantised by a layer of its own.
  void concat(Layer layer) {
    layer.kind = LayerKind::Concat;
    layer.low = -128, layer.high = 127;
    for (const int input : layer.inputs) layer.scale.push_back(scale(layer, ratio(input, layer.output)));
    network().layers.push_back(std::move(layer));
  }

  const Graph& graph_;
  Quantised result_;
  std::vector<int> feature_of_;
};

}  // namespace

Lowered lower(const Graph& canonical) { return Lowering(canonical).run(); }

}  // namespace espalier::compress

#include "compress/onnx_export.hpp"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <string_view>

#include "esp_error.hpp"
#include "model/onnx_tensor.hpp"
#include "model/scales.hpp"

namespace espalier::compress {
namespace {

using model::Array;
using model::Feature;
using model::Layer;
using model::LayerKind;
using model::Shape;

constexpr int OpsetVersion = 13;
constexpr int IrVersion = 7;

bool same(double a, double b) { return std::equal_to<>{}(a, b); }
bool same(const abi::Scale& a, const abi::Scale& b) { return a.multiplier == b.multiplier && a.shift == b.shift; }

class Exporter {
 public:
  explicit Exporter(const Quantised& quantised)
      : quantised_(quantised), network_(quantised.network), names_(network_.features.size()) {}

  std::string run() {
    model_.set_ir_version(IrVersion);
    model_.set_producer_name("espalier");
    auto& opset = *model_.add_opset_import();
    opset.set_domain("");
    opset.set_version(OpsetVersion);
    graph().set_name(network_.name.empty() ? "network" : network_.name);
    for (std::size_t i = 0; i < network_.features.size(); ++i) names_[i] = unique(network_.features[i].name);
    for (std::size_t i = 0; i < network_.inputs.size(); ++i) add_input(quantised_.inputs[i], network_.inputs[i]);
    for (const Layer& layer : network_.layers) add_layer(layer);
    for (std::size_t i = 0; i < network_.outputs.size(); ++i) add_output(quantised_.outputs[i], network_.outputs[i]);
    return model_.SerializeAsString();
  }

 private:
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  const Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  const std::string& name(int index) const { return names_[static_cast<std::size_t>(index)]; }

  /// Names of the file are unique; names of features need not be.
  std::string unique(const std::string& wanted) {
    const int count = used_[wanted]++;
    return count == 0 && !wanted.empty() ? wanted : wanted + "." + std::to_string(count) + "_";
  }

  [[noreturn]] static void refuse(const std::string& problem, const std::string& where, double value) {
    throw Error(ErrorCode::Unsupported, problem, where, std::to_string(value), "quantise the network from its model");
  }

  std::string constant(const std::string& wanted, const Array& array) {
    std::string unique_name = unique(wanted);
    *graph().add_initializer() = model::write_tensor(array, unique_name);
    return unique_name;
  }

  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
                        const std::string& node_name) {
    onnx::NodeProto& proto = *graph().add_node();
    proto.set_op_type(op);
    proto.set_name(node_name);
    for (const std::string& input : inputs) proto.add_input(input);
    proto.add_output(output);
    return proto;
  }

  static void integer(onnx::NodeProto& proto, const char* key, std::int64_t value) {
    auto& attribute = *proto.add_attribute();
    attribute.set_name(key);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }

  static void integers(onnx::NodeProto& proto, const char* key, std::initializer_list<std::int64_t> values) {
    auto& attribute = *proto.add_attribute();
    attribute.set_name(key);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
  }

  /// Scale and zero point of a feature as initialisers; the same names each time.
  std::vector<std::string> parameters(int index, model::ElementType type = model::ElementType::Int8) {
    const Feature& f = feature(index);
    const auto scale = static_cast<float>(f.scale);
    if (!same(static_cast<double>(scale), f.scale))
      refuse("the scale is not a float32", "feature '" + f.name + "'", f.scale);
    Array zero{{}, std::vector<std::int8_t>{static_cast<std::int8_t>(f.zero)}};
    if (type == model::ElementType::UInt8)
      zero.values = std::vector<std::uint8_t>{static_cast<std::uint8_t>(f.zero + 128)};
    return {constant(name(index) + ".scale", {{}, std::vector<float>{scale}}), constant(name(index) + ".zero", zero)};
  }

  void quantise(int index, const std::string& real) {
    const auto p = parameters(index);
    node("QuantizeLinear", {real, p[0], p[1]}, name(index) + ".int8", name(index) + ".quantise");
  }

  std::string dequantise(int index) {
    std::string result = unique(name(index) + ".real");
    const auto p = parameters(index);
    node("DequantizeLinear", {name(index) + ".int8", p[0], p[1]}, result, result);
    return result;
  }

  static void set_type(onnx::ValueInfoProto& info, const std::string& port, model::ElementType type,
                       const Shape& shape) {
    info.set_name(port);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(model::onnx_type(type));
    for (const std::int64_t size : shape) tensor.mutable_shape()->add_dim()->set_dim_value(size);
  }

  static Shape map_of(const Feature& f) { return {1, f.channels, f.height, f.width}; }

  std::string shape_constant(const Shape& shape) {
    return constant("shape", {{static_cast<std::int64_t>(shape.size())}, shape});
  }

  std::string reshape(const std::string& from, const Shape& to) {
    std::string result = unique(from + ".reshaped");
    node("Reshape", {from, shape_constant(to)}, result, result);
    return result;
  }

  void add_input(const Input& port, int index) {
    const std::string port_name = name(index) == port.name ? port.name : unique(port.name);
    set_type(*graph().add_input(), port_name, port.type, port.shape);
    std::string real = port_name;
    if (port.type != model::ElementType::Float) {
      const auto p = parameters(index, port.type);
      node("DequantizeLinear", {port_name, p[0], p[1]}, real = unique(port_name + ".real"), port_name + ".dequantise");
    }
    if (port.shape != map_of(feature(index))) real = reshape(real, map_of(feature(index)));
    quantise(index, real);
  }

  void add_output(const Output& port, int index) {
    const Feature& f = feature(index);
    // The last node of the chain must write the name of the port.
    std::vector<std::function<void(const std::string&, const std::string&)>> steps;
    if (port.type == model::ElementType::Float || port.type == model::ElementType::UInt8)
      steps.emplace_back([&](const std::string& from, const std::string& to) {
        const auto p = parameters(index);
        node("DequantizeLinear", {from, p[0], p[1]}, to, to + ".dequantise");
      });
    if (port.type == model::ElementType::UInt8)
      steps.emplace_back([&](const std::string& from, const std::string& to) {
        const auto p = parameters(index, port.type);
        node("QuantizeLinear", {from, p[0], p[1]}, to, to + ".quantise");
      });
    if (port.shape != map_of(f) || steps.empty())
      steps.emplace_back([&](const std::string& from, const std::string& to) {
        node("Reshape", {from, shape_constant(port.shape)}, to, to + ".reshape");
      });
    if (port.softmax_axis)
      steps.emplace_back([&](const std::string& from, const std::string& to) {
        integer(node("Softmax", {from}, to, to + ".softmax"), "axis", *port.softmax_axis);
      });
    const std::string port_name = name(index) == port.name ? port.name : unique(port.name);
    std::string from = name(index) + ".int8";
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string to = i + 1 == steps.size() ? port_name : unique(port_name + ".step");
      steps[i](from, to);
      from = to;
    }
    set_type(*graph().add_output(), port_name, port.type, port.shape);
  }

  void add_layer(const Layer& layer) {
    std::vector<std::string> inputs;
    for (const int input : layer.inputs) inputs.push_back(dequantise(input));
    std::string real = unique(layer.name + ".result");
    switch (layer.kind) {
      case LayerKind::Convolution:
        real = convolution(layer, inputs[0], real);
        break;
      case LayerKind::MaxPool:
        window(layer, node("MaxPool", inputs, real, layer.name));
        break;
      case LayerKind::AveragePool: {
        check_ratio(layer);
        auto& proto = node("AveragePool", inputs, real, layer.name);
        window(layer, proto);
        integer(proto, "count_include_pad", layer.count_include_padding ? 1 : 0);
        break;
      }
      case LayerKind::GlobalAveragePool:
        check_ratio(layer);
        node("GlobalAveragePool", inputs, real, layer.name);
        break;
      case LayerKind::GlobalMaxPool:
        node("GlobalMaxPool", inputs, real, layer.name);
        break;
      case LayerKind::Add: {
        Layer expected = layer;
        model::set_add_scales(expected, ratio(layer, 0), ratio(layer, 1));
        if (!same(expected.scale[0], layer.scale[0]) || expected.multiplier_b != layer.multiplier_b)
          refuse("the scales do not follow from the features", "layer '" + layer.name + "'", ratio(layer, 0));
        node("Add", inputs, real, layer.name);
        break;
      }
      case LayerKind::Concat:
        integer(node("Concat", inputs, real, layer.name), "axis", 1);
        break;
      case LayerKind::Requantise:
        if (!same(layer.scale[0], abi::make_scale(ratio(layer, 0))))
          refuse("the scale does not follow from the features", "layer '" + layer.name + "'", ratio(layer, 0));
        real = inputs[0];
        break;
      case LayerKind::Real:
        throw Error(ErrorCode::Unsupported, "an operator in float32 cannot be written as a quantised layer",
                    "layer '" + layer.name + "'", layer.op, "compile the model itself");
    }
    quantise(layer.output, clamp(layer, real));
  }

  double ratio(const Layer& layer, std::size_t input) const {
    return feature(layer.inputs[input]).scale / feature(layer.output).scale;
  }

  void check_ratio(const Layer& layer) const {
    if (!same(layer.ratio, ratio(layer, 0)))
      refuse("the ratio does not follow from the features", "layer '" + layer.name + "'", layer.ratio);
  }

  static void window(const Layer& layer, onnx::NodeProto& proto) {
    integers(proto, "kernel_shape", {layer.kernel_h, layer.kernel_w});
    integers(proto, "strides", {layer.stride_h, layer.stride_w});
    integers(proto, "pads", {layer.pad_top, layer.pad_left, layer.pad_bottom, layer.pad_right});
    const bool dilated = layer.dilation_h != 1 || layer.dilation_w != 1;
    if (dilated || layer.kind == LayerKind::Convolution)
      integers(proto, "dilations", {layer.dilation_h, layer.dilation_w});
  }

  /// The float32 weight scale whose product with the features' scales rounds to the stored multiplier.
  float weight_scale(const Layer& layer, const abi::Scale& wanted) const {
    const double r = ratio(layer, 0), in = feature(layer.inputs[0]).scale, out = feature(layer.output).scale;
    const double exact = std::ldexp(static_cast<double>(wanted.multiplier), -static_cast<int>(wanted.shift)) / r;
    float candidate = static_cast<float>(exact);
    for (int i = 0; i < 4; ++i) candidate = std::nextafter(candidate, 0.0F);
    for (int i = 0; i < 9; ++i) {
      if (candidate > 0 && same(abi::make_scale(in * static_cast<double>(candidate) / out), wanted)) return candidate;
      candidate = std::nextafter(candidate, std::numeric_limits<float>::max());
    }
    refuse("a weight scale is not a float32", "layer '" + layer.name + "'", exact);
  }

  std::string convolution(const Layer& layer, const std::string& input, const std::string& result) {
    const Feature &in = feature(layer.inputs[0]), &out = feature(layer.output);
    const std::int64_t group_inputs = in.channels / layer.groups;
    const bool flat = layer.op == "Gemm" && layer.groups == 1 && out.height == 1 && out.width == 1 &&
                      layer.kernel_h == in.height && layer.kernel_w == in.width && layer.pad_top + layer.pad_left == 0;
    std::vector<float> scales, bias_scales;
    for (const abi::Scale& scale : layer.scale) {
      scales.push_back(weight_scale(layer, scale));
      bias_scales.push_back(static_cast<float>(in.scale * static_cast<double>(scales.back())));
    }
    const Shape channels{out.channels};
    const Shape shape = flat ? Shape{out.channels, static_cast<std::int64_t>(in.elements())}
                             : Shape{out.channels, group_inputs, layer.kernel_h, layer.kernel_w};
    const std::string weights = dequantise_constant(layer.name + ".weights", {shape, layer.weights}, scales, true);
    const std::string bias = dequantise_constant(layer.name + ".bias", {channels, layer.bias}, bias_scales, false);
    if (flat) {
      const std::string product = unique(layer.name + ".product");
      integer(node("Gemm", {reshape(input, {1, static_cast<std::int64_t>(in.elements())}), weights, bias}, product,
                   layer.name),
              "transB", 1);
      return reshape(product, map_of(out));
    }
    auto& proto = node("Conv", {input, weights, bias}, result, layer.name);
    window(layer, proto);
    integer(proto, "group", layer.groups);
    return result;
  }

  std::string dequantise_constant(const std::string& wanted, const Array& array, std::vector<float> scales,
                                  bool with_zero) {
    const Shape channels{static_cast<std::int64_t>(scales.size())};
    const std::size_t count = scales.size();
    std::vector<std::string> inputs{constant(wanted, array),
                                    constant(wanted + ".scale", {channels, std::move(scales)})};
    if (with_zero) inputs.push_back(constant(wanted + ".zero", {channels, std::vector<std::int8_t>(count, 0)}));
    std::string result = unique(wanted + ".real");
    integer(node("DequantizeLinear", inputs, result, result), "axis", 0);
    return result;
  }

  std::string clamp(const Layer& layer, const std::string& real) {
    const Feature& out = feature(layer.output);
    if (layer.low == -128 && layer.high == 127) return real;
    std::string result = unique(layer.name + ".clamped");
    if (layer.low == out.zero && layer.high == 127) {
      node("Relu", {real}, result, layer.name + ".relu");
      return result;
    }
    const auto bound = [&](std::int32_t level, std::int32_t open_level, float open) {
      const auto value = static_cast<float>((level - out.zero) * out.scale);
      return constant(layer.name + ".bound", {{}, std::vector<float>{level == open_level ? open : value}});
    };
    constexpr float Largest = std::numeric_limits<float>::max();
    const std::string low = bound(layer.low, -128, -Largest);
    const std::string high = bound(layer.high, 127, Largest);
    node("Clip", {real, low, high}, result, layer.name + ".clip");
    return result;
  }

  const Quantised& quantised_;
  const model::Network& network_;
  std::vector<std::string> names_;
  std::map<std::string, int> used_;
  onnx::ModelProto model_;
};

}  // namespace

std::string to_onnx(const Quantised& quantised) { return Exporter(quantised).run(); }

void export_onnx(const Quantised& quantised, const std::filesystem::path& file) {
  const std::string bytes = to_onnx(quantised);
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream)
    throw Error(ErrorCode::Input, "the file cannot be written", file.string(), {}, "check the folder and the disk");
}

}  // namespace espalier::compress

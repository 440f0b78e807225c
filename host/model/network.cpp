#include "model/network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "esp_error.hpp"
#include "model/graph.hpp"
#include "model/scales.hpp"

namespace espalier::model {
namespace {

/// Refusals of one layer: every message names the layer and the field.
class Checker {
 public:
  Checker(const Network& network, const Layer& layer, std::size_t index)
      : network_(network), layer_(layer), where_("layer " + std::to_string(index) + " '" + layer.name + "'") {}

  void check() {
    indices();
    geometry();
    for (const abi::Scale& scale : layer_.scale) {
      require(scale.multiplier < (1U << 24), "scale multiplier needs more than 24 bits", scale.multiplier);
      require(scale.shift <= 63, "scale shift is larger than 63", scale.shift);
    }
    require(layer_.multiplier_b < (1U << 24), "multiplier_b needs more than 24 bits", layer_.multiplier_b);
    require(layer_.low >= -128 && layer_.high <= 127 && layer_.low <= layer_.high, "clamp is not an int8 range",
            layer_.low);
    switch (layer_.kind) {
      case LayerKind::Convolution:
        convolution();
        break;
      case LayerKind::MaxPool:
      case LayerKind::GlobalMaxPool:
        max_pool();
        break;
      case LayerKind::AveragePool:
      case LayerKind::GlobalAveragePool:
        average_pool();
        break;
      case LayerKind::Add:
        add();
        break;
      case LayerKind::Concat:
        concat();
        break;
      case LayerKind::Requantise:
        requantise();
        break;
      case LayerKind::Real:
        real();
        break;
    }
  }

 private:
  template <typename Value>
  void require(bool holds, const char* problem, Value value) const {
    if (!holds) throw Error(ErrorCode::Model, problem, where_, std::to_string(value), "correct the network");
  }

  const Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }

  void indices() const {
    const int count = static_cast<int>(network_.features.size());
    require(!layer_.inputs.empty(), "no inputs", layer_.inputs.size());
    for (const int input : layer_.inputs) require(input >= 0 && input < count, "input index out of range", input);
    require(layer_.output >= 0 && layer_.output < count, "output index out of range", layer_.output);
  }

  void geometry() const {
    const auto positive = [&](int value, const char* field) { require(value >= 1, field, value); };
    positive(layer_.kernel_h, "kernel_h must be at least 1");
    positive(layer_.kernel_w, "kernel_w must be at least 1");
    positive(layer_.stride_h, "stride_h must be at least 1");
    positive(layer_.stride_w, "stride_w must be at least 1");
    positive(layer_.dilation_h, "dilation_h must be at least 1");
    positive(layer_.dilation_w, "dilation_w must be at least 1");
    positive(layer_.groups, "groups must be at least 1");
    for (const int pad : {layer_.pad_top, layer_.pad_left, layer_.pad_bottom, layer_.pad_right})
      require(pad >= 0, "padding must not be negative", pad);
  }

  void inputs(std::size_t count) const {
    require(layer_.inputs.size() == count, "wrong number of inputs", layer_.inputs.size());
  }

  void output_shape(int channels, int height, int width) const {
    const Feature& out = feature(layer_.output);
    require(out.channels == channels, "output channels do not follow from the inputs", out.channels);
    require(out.height == height, "output height does not follow from the inputs", out.height);
    require(out.width == width, "output width does not follow from the inputs", out.width);
  }

  void window_shape(int channels) const {
    const Feature& in = feature(layer_.inputs[0]);
    const std::int64_t height =
        window_count(in.height, layer_.pad_top, layer_.pad_bottom, layer_.kernel_h, layer_.stride_h, layer_.dilation_h);
    const std::int64_t width =
        window_count(in.width, layer_.pad_left, layer_.pad_right, layer_.kernel_w, layer_.stride_w, layer_.dilation_w);
    require(height >= 1 && height <= std::numeric_limits<int>::max(), "kernel does not fit the padded height", height);
    require(width >= 1 && width <= std::numeric_limits<int>::max(), "kernel does not fit the padded width", width);
    output_shape(channels, static_cast<int>(height), static_cast<int>(width));
  }

  void same_quantisation(int input) const {
    const Feature &in = feature(input), &out = feature(layer_.output);
    require(in.zero == out.zero, "input and output zero points differ", in.zero);
    require(!(in.scale < out.scale) && !(in.scale > out.scale), "input and output scales differ", in.scale);
  }

  void convolution() const {
    inputs(1);
    const Feature &in = feature(layer_.inputs[0]), &out = feature(layer_.output);
    window_shape(out.channels);
    require(in.channels % layer_.groups == 0, "groups do not divide the input channels", layer_.groups);
    require(out.channels % layer_.groups == 0, "groups do not divide the output channels", layer_.groups);
    const auto rows = static_cast<std::size_t>(out.channels);
    const std::size_t row = static_cast<std::size_t>(in.channels / layer_.groups) *
                            static_cast<std::size_t>(layer_.kernel_h) * static_cast<std::size_t>(layer_.kernel_w);
    require(layer_.weights.size() == rows * row, "wrong number of weights", layer_.weights.size());
    require(layer_.bias.size() == rows, "wrong number of biases", layer_.bias.size());
    require(layer_.scale.size() == rows, "wrong number of scales", layer_.scale.size());
    for (std::size_t channel = 0; channel < rows; ++channel) accumulator(channel, row, in.zero);
  }

  /// The smallest and the largest accumulator over all int8 inputs must fit int32.
  void accumulator(std::size_t channel, std::size_t row, std::int32_t zero) const {
    std::int64_t low = layer_.bias[channel], high = low;
    for (std::size_t i = 0; i < row; ++i) {
      const std::int64_t weight = static_cast<std::int64_t>(layer_.weights[channel * row + i]);
      const std::int64_t first = weight * (-128 - zero), second = weight * (127 - zero);
      low += std::min(first, second);
      high += std::max(first, second);
    }
    require(low >= std::numeric_limits<std::int32_t>::min() && high <= std::numeric_limits<std::int32_t>::max(),
            "the accumulator of an output channel can exceed 32 bits", channel);
  }

  void max_pool() const {
    inputs(1);
    same_quantisation(layer_.inputs[0]);
    const Feature& in = feature(layer_.inputs[0]);
    if (layer_.kind == LayerKind::MaxPool) return window_shape(in.channels);
    output_shape(in.channels, 1, 1);
  }

  void average_pool() const {
    inputs(1);
    const Feature& in = feature(layer_.inputs[0]);
    require(layer_.ratio > 0 && layer_.ratio < abi::MaxScale, "ratio is not a positive scale", layer_.ratio);
    const bool global = layer_.kind == LayerKind::GlobalAveragePool;
    const std::int64_t taps =
        global ? std::int64_t{in.height} * in.width : std::int64_t{layer_.kernel_h} * layer_.kernel_w;
    require(taps <= std::numeric_limits<std::int32_t>::max() / 255, "the pooling sum can exceed 32 bits", taps);
    if (!global) return window_shape(in.channels);
    output_shape(in.channels, 1, 1);
  }

  void add() const {
    inputs(2);
    require(layer_.scale.size() == 1, "wrong number of scales", layer_.scale.size());
    for (const int input : layer_.inputs)
      output_shape(feature(input).channels, feature(input).height, feature(input).width);
  }

  void concat() const {
    require(layer_.scale.size() == layer_.inputs.size(), "wrong number of scales", layer_.scale.size());
    require(layer_.low == -128 && layer_.high == 127, "a concatenation does not clamp", layer_.low);
    std::int64_t channels = 0;
    for (const int input : layer_.inputs) channels += feature(input).channels;
    require(channels <= std::numeric_limits<int>::max(), "too many channels", channels);
    for (const int input : layer_.inputs)
      output_shape(static_cast<int>(channels), feature(input).height, feature(input).width);
  }

  void requantise() const {
    inputs(1);
    require(layer_.scale.size() == 1, "wrong number of scales", layer_.scale.size());
    const Feature& in = feature(layer_.inputs[0]);
    output_shape(in.channels, in.height, in.width);
  }

  void real() const {
    require(layer_.real != nullptr && layer_.real->nodes.size() == 1 && layer_.real->outputs.size() == 1,
            "no operator in float32", layer_.inputs.size());
    inputs(layer_.real->inputs.size());
    const auto same_size = [&](const Port& port, int index) {
      require(count_elements(port.shape, where_) == static_cast<std::int64_t>(feature(index).elements()),
              "an operator in float32 has another number of elements", feature(index).elements());
    };
    for (std::size_t i = 0; i < layer_.inputs.size(); ++i) same_size(layer_.real->inputs[i], layer_.inputs[i]);
    same_size(layer_.real->outputs[0], layer_.output);
  }

  const Network& network_;
  const Layer& layer_;
  std::string where_;
};

void check_feature(const Feature& feature, std::size_t index) {
  const auto require = [&](bool holds, const char* problem, const std::string& value) {
    if (!holds)
      throw Error(ErrorCode::Model, problem, "feature " + std::to_string(index) + " '" + feature.name + "'", value,
                  "correct the network");
  };
  require(feature.channels >= 1, "channels must be at least 1", std::to_string(feature.channels));
  require(feature.height >= 1, "height must be at least 1", std::to_string(feature.height));
  require(feature.width >= 1, "width must be at least 1", std::to_string(feature.width));
  require(feature.zero >= -128 && feature.zero <= 127, "zero point is not an int8", std::to_string(feature.zero));
  require(feature.scale > 0 && feature.scale < std::numeric_limits<double>::infinity(), "scale is not positive",
          std::to_string(feature.scale));
}

/// Every feature is written once, before it is read.
void check_order(const Network& network) {
  const auto refuse = [](const char* problem, const std::string& where, int value) {
    throw Error(ErrorCode::Model, problem, where, std::to_string(value), "correct the network");
  };
  std::vector<bool> written(network.features.size(), false);
  const auto in_range = [&](int index) { return index >= 0 && static_cast<std::size_t>(index) < written.size(); };
  if (network.inputs.empty()) refuse("no inputs", "network '" + network.name + "'", 0);
  if (network.outputs.empty()) refuse("no outputs", "network '" + network.name + "'", 0);
  for (const int input : network.inputs) {
    if (!in_range(input) || written[static_cast<std::size_t>(input)])
      refuse("input index out of range or repeated", "network '" + network.name + "'", input);
    written[static_cast<std::size_t>(input)] = true;
  }
  for (const Layer& layer : network.layers) {
    for (const int input : layer.inputs)
      if (!written[static_cast<std::size_t>(input)])
        refuse("an input is read before it is written", "layer '" + layer.name + "'", input);
    if (written[static_cast<std::size_t>(layer.output)])
      refuse("the output is written twice", "layer '" + layer.name + "'", layer.output);
    written[static_cast<std::size_t>(layer.output)] = true;
  }
  for (const int output : network.outputs)
    if (!in_range(output) || !written[static_cast<std::size_t>(output)])
      refuse("output index out of range or never written", "network '" + network.name + "'", output);
}

}  // namespace

std::int64_t window_count(int in, int before, int after, int kernel, int stride, int dilation) {
  const std::int64_t room = std::int64_t{in} + before + after - (std::int64_t{kernel} - 1) * dilation - 1;
  return room < 0 ? 0 : room / stride + 1;
}

void set_add_scales(Layer& layer, double ratio_a, double ratio_b) {
  const abi::Scale larger = abi::make_scale(std::max(ratio_a, ratio_b));
  const auto multiplier = [&](double ratio) {
    const double exact = std::ldexp(ratio, static_cast<int>(larger.shift));
    return static_cast<std::uint32_t>(std::min(std::nearbyint(exact), 16777215.0));
  };
  layer.scale = {{multiplier(ratio_a), larger.shift}};
  layer.multiplier_b = multiplier(ratio_b);
}

void validate(const Network& network) {
  for (std::size_t i = 0; i < network.features.size(); ++i) check_feature(network.features[i], i);
  for (std::size_t i = 0; i < network.layers.size(); ++i) Checker(network, network.layers[i], i).check();
  check_order(network);
}

}  // namespace espalier::model

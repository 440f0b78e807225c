#include "cpu/reference.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "cpu/real_layer.hpp"
#include "esp_arithmetic.hpp"
#include "esp_error.hpp"

namespace espalier::cpu {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;
using model::Network;

std::size_t position(const Feature& feature, int channel, int y, int x) {
  return (static_cast<std::size_t>(channel) * static_cast<std::size_t>(feature.height) + static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(feature.width) +
         static_cast<std::size_t>(x);
}

/// Calls visit(tap row, tap column, input row, input column) for the taps of one output position that lie in the map.
template <typename Visitor>
void for_valid_taps(const Layer& layer, const Feature& in, int y, int x, Visitor&& visit) {
  for (int kernel_y = 0; kernel_y < layer.kernel_h; ++kernel_y) {
    const int input_y = y * layer.stride_h - layer.pad_top + kernel_y * layer.dilation_h;
    if (input_y < 0 || input_y >= in.height) continue;
    for (int kernel_x = 0; kernel_x < layer.kernel_w; ++kernel_x) {
      const int input_x = x * layer.stride_w - layer.pad_left + kernel_x * layer.dilation_w;
      if (input_x >= 0 && input_x < in.width) visit(kernel_y, kernel_x, input_y, input_x);
    }
  }
}

/// Calls value(channel, y, x) for every output in order.
template <typename Function>
Tensor fill(const Feature& out, Function&& value) {
  Tensor result;
  result.reserve(out.elements());
  for (int channel = 0; channel < out.channels; ++channel)
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x) result.push_back(value(channel, y, x));
  return result;
}

Tensor convolution(const Layer& layer, const Feature& in, const Feature& out, const Tensor& source) {
  const int group_inputs = in.channels / layer.groups;
  const int group_outputs = out.channels / layer.groups;
  return fill(out, [&](int channel, int y, int x) {
    std::int32_t acc = layer.bias[static_cast<std::size_t>(channel)];
    for (int i = 0; i < group_inputs; ++i) {
      const int input_channel = channel / group_outputs * group_inputs + i;
      const int kernel = (channel * group_inputs + i) * layer.kernel_h;
      for_valid_taps(layer, in, y, x, [&](int kernel_y, int kernel_x, int input_y, int input_x) {
        const auto tap = static_cast<std::size_t>(kernel + kernel_y) * static_cast<std::size_t>(layer.kernel_w) +
                         static_cast<std::size_t>(kernel_x);
        const std::int32_t value = source[position(in, input_channel, input_y, input_x)] - in.zero;
        acc = abi::accumulate(acc, value * layer.weights[tap]);
      });
    }
    const abi::Scale& scale = layer.scale[static_cast<std::size_t>(channel)];
    return abi::requantise(acc, scale.multiplier, scale.shift, out.zero, layer.low, layer.high);
  });
}

Tensor max_pool(const Layer& layer, const Feature& in, const Feature& out, const Tensor& source) {
  return fill(out, [&](int channel, int y, int x) {
    std::int32_t best = -128;
    for_valid_taps(layer, in, y, x, [&](int, int, int input_y, int input_x) {
      best = std::max<std::int32_t>(best, source[position(in, channel, input_y, input_x)]);
    });
    return static_cast<std::int8_t>(std::clamp(best, layer.low, layer.high));
  });
}

Tensor average_pool(const Layer& layer, const Feature& in, const Feature& out, const Tensor& source) {
  return fill(out, [&](int channel, int y, int x) {
    std::int32_t sum = 0;
    int count = 0;
    for_valid_taps(layer, in, y, x, [&](int, int, int input_y, int input_x) {
      sum += source[position(in, channel, input_y, input_x)] - in.zero;
      ++count;
    });
    if (layer.count_include_padding || count == 0) count = layer.kernel_h * layer.kernel_w;
    const abi::Scale scale = model::pool_scale(layer, count);
    return abi::requantise(sum, scale.multiplier, scale.shift, out.zero, layer.low, layer.high);
  });
}

Tensor add(const Layer& layer, const Feature& a, const Feature& b, const Feature& out, std::span<const Tensor> inputs) {
  return fill(out, [&](int channel, int y, int x) {
    const std::size_t i = position(out, channel, y, x);
    return abi::residual_add(inputs[0][i], inputs[1][i], a.zero, b.zero, layer.scale[0].multiplier, layer.multiplier_b,
                             layer.scale[0].shift, out.zero, layer.low, layer.high);
  });
}

Tensor requantise(const Layer& layer, const abi::Scale& scale, const Feature& in, const Feature& out,
                  const Tensor& source) {
  Tensor result;
  result.reserve(source.size());
  for (const std::int8_t value : source)
    result.push_back(abi::requantise(value - in.zero, scale.multiplier, scale.shift, out.zero, layer.low, layer.high));
  return result;
}

bool same_quantisation(const Feature& a, const Feature& b) {
  return a.zero == b.zero && !(a.scale < b.scale) && !(a.scale > b.scale);
}

Tensor concat(const Network& network, const Layer& layer, const Feature& out, std::span<const Tensor> inputs) {
  Tensor result;
  result.reserve(out.elements());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Feature& in = network.features[static_cast<std::size_t>(layer.inputs[i])];
    const Tensor part = same_quantisation(in, out) ? inputs[i] : requantise(layer, layer.scale[i], in, out, inputs[i]);
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

void check_size(const Feature& feature, const Tensor& tensor) {
  if (tensor.size() == feature.elements()) return;
  throw Error(ErrorCode::Input, "tensor has the wrong number of elements", "feature '" + feature.name + "'",
              std::to_string(tensor.size()) + " instead of " + std::to_string(feature.elements()),
              "give a tensor of " + std::to_string(feature.channels) + " x " + std::to_string(feature.height) + " x " +
                  std::to_string(feature.width));
}

}  // namespace

Layer over_whole_map(const Layer& layer, const Feature& in) {
  Layer whole = layer;
  whole.kernel_h = in.height;
  whole.kernel_w = in.width;
  whole.stride_h = whole.stride_w = whole.dilation_h = whole.dilation_w = 1;
  whole.pad_top = whole.pad_left = whole.pad_bottom = whole.pad_right = 0;
  return whole;
}

Tensor run_layer(const Network& network, const Layer& layer, std::span<const Tensor> inputs) {
  if (inputs.size() != layer.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "layer '" + layer.name + "'", std::to_string(inputs.size()),
                "give " + std::to_string(layer.inputs.size()));
  const auto feature = [&](int index) -> const Feature& { return network.features[static_cast<std::size_t>(index)]; };
  for (std::size_t i = 0; i < inputs.size(); ++i) check_size(feature(layer.inputs[i]), inputs[i]);
  const Feature &in = feature(layer.inputs[0]), &out = feature(layer.output);
  switch (layer.kind) {
    case LayerKind::Convolution:
      return convolution(layer, in, out, inputs[0]);
    case LayerKind::MaxPool:
      return max_pool(layer, in, out, inputs[0]);
    case LayerKind::GlobalMaxPool:
      return max_pool(over_whole_map(layer, in), in, out, inputs[0]);
    case LayerKind::AveragePool:
      return average_pool(layer, in, out, inputs[0]);
    case LayerKind::GlobalAveragePool:
      return average_pool(over_whole_map(layer, in), in, out, inputs[0]);
    case LayerKind::Add:
      return add(layer, in, feature(layer.inputs[1]), out, inputs);
    case LayerKind::Concat:
      return concat(network, layer, out, inputs);
    case LayerKind::Requantise:
      return requantise(layer, layer.scale[0], in, out, inputs[0]);
    case LayerKind::Real:
      return run_real(network, layer, FloatExecutor(*layer.real), inputs);
  }
  throw Error(ErrorCode::Internal, "unknown layer kind", "layer '" + layer.name + "'");
}

std::vector<Tensor> place_inputs(const Network& network, std::span<const Tensor> inputs) {
  if (inputs.size() != network.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "network '" + network.name + "'",
                std::to_string(inputs.size()), "give " + std::to_string(network.inputs.size()));
  std::vector<Tensor> features(network.features.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_size(network.features[static_cast<std::size_t>(network.inputs[i])], inputs[i]);
    features[static_cast<std::size_t>(network.inputs[i])] = inputs[i];
  }
  return features;
}

std::vector<Tensor> run(const Network& network, std::span<const Tensor> inputs) {
  std::vector<Tensor> features = place_inputs(network, inputs);
  for (const Layer& layer : network.layers) {
    std::vector<Tensor> sources;
    for (const int input : layer.inputs) sources.push_back(features[static_cast<std::size_t>(input)]);
    features[static_cast<std::size_t>(layer.output)] = run_layer(network, layer, sources);
  }
  return features;
}

}  // namespace espalier::cpu

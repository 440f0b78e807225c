#include "cpu/fast.hpp"

#include <algorithm>

#include "esp_arithmetic.hpp"
#include "esp_error.hpp"

namespace espalier::cpu {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

/// A map with its padding, so that every tap is one run of values per output row.
struct PaddedMaps {
  int height, width;
  std::vector<std::int8_t> values;  // [channel][height][width]
};

PaddedMaps make_padded(const Layer& layer, const Feature& in, const Tensor& source) {
  PaddedMaps maps{in.height + layer.pad_top + layer.pad_bottom, in.width + layer.pad_left + layer.pad_right, {}};
  const auto width = static_cast<std::size_t>(maps.width), height = static_cast<std::size_t>(maps.height);
  maps.values.assign(static_cast<std::size_t>(in.channels) * height * width, static_cast<std::int8_t>(in.zero));
  const auto row = static_cast<std::size_t>(in.width);
  for (std::size_t c = 0; c < static_cast<std::size_t>(in.channels); ++c)
    for (std::size_t y = 0; y < static_cast<std::size_t>(in.height); ++y)
      std::copy_n(source.data() + (c * static_cast<std::size_t>(in.height) + y) * row, row,
                  maps.values.data() + (c * height + y + static_cast<std::size_t>(layer.pad_top)) * width +
                      static_cast<std::size_t>(layer.pad_left));
  return maps;
}

}  // namespace

FastExecutor::FastExecutor(const model::Network& network) : network_(network) {
  for (const Layer& layer : network.layers) {
    Convolution& prepared = convolutions_.emplace_back();
    if (layer.kind != LayerKind::Convolution) continue;
    const Feature& in = network.features[static_cast<std::size_t>(layer.inputs[0])];
    const Feature& out = network.features[static_cast<std::size_t>(layer.output)];
    const int group_inputs = in.channels / layer.groups, group_outputs = out.channels / layer.groups;
    std::size_t next = 0;
    for (int channel = 0; channel < out.channels; ++channel) {
      std::int32_t bias = layer.bias[static_cast<std::size_t>(channel)];
      prepared.first.push_back(prepared.taps.size());
      for (int i = 0; i < group_inputs; ++i)
        for (int ky = 0; ky < layer.kernel_h; ++ky)
          for (int kx = 0; kx < layer.kernel_w; ++kx) {
            const std::int32_t weight = layer.weights[next++];
            if (weight == 0) continue;
            bias = abi::accumulate(bias, -in.zero * weight);
            prepared.taps.push_back({weight, channel / group_outputs * group_inputs + i, ky, kx});
          }
      prepared.bias.push_back(bias);
    }
    prepared.first.push_back(prepared.taps.size());
  }
}

Tensor FastExecutor::convolve(const Layer& layer, const Convolution& prepared, const Tensor& source) const {
  const Feature& in = network_.features[static_cast<std::size_t>(layer.inputs[0])];
  const Feature& out = network_.features[static_cast<std::size_t>(layer.output)];
  const PaddedMaps maps = make_padded(layer, in, source);
  const auto width = static_cast<std::size_t>(out.width), height = static_cast<std::size_t>(out.height);
  const auto stride = static_cast<std::size_t>(layer.stride_w);
  Tensor result(out.elements());
  // Unsigned sums wrap as the contract's accumulator does.
  std::vector<std::uint32_t> acc(height * width);
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(out.channels); ++channel) {
    std::fill(acc.begin(), acc.end(), static_cast<std::uint32_t>(prepared.bias[channel]));
    for (std::size_t t = prepared.first[channel]; t < prepared.first[channel + 1]; ++t) {
      const Tap& tap = prepared.taps[t];
      for (std::size_t y = 0; y < height; ++y) {
        const std::size_t row = static_cast<std::size_t>(tap.input_channel) * static_cast<std::size_t>(maps.height) +
                                y * static_cast<std::size_t>(layer.stride_h) +
                                static_cast<std::size_t>(tap.kernel_y * layer.dilation_h);
        const std::int8_t* from = maps.values.data() + row * static_cast<std::size_t>(maps.width) +
                                  static_cast<std::size_t>(tap.kernel_x * layer.dilation_w);
        std::uint32_t* to = acc.data() + y * width;
        for (std::size_t x = 0; x < width; ++x) to[x] += static_cast<std::uint32_t>(tap.weight * from[x * stride]);
      }
    }
    const abi::Scale& scale = layer.scale[channel];
    for (std::size_t i = 0; i < acc.size(); ++i)
      result[channel * acc.size() + i] = abi::requantise(static_cast<std::int32_t>(acc[i]), scale.multiplier,
                                                         scale.shift, out.zero, layer.low, layer.high);
  }
  return result;
}

std::vector<Tensor> FastExecutor::run(std::span<const Tensor> inputs) const {
  if (inputs.size() != network_.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "network '" + network_.name + "'",
                std::to_string(inputs.size()), "give " + std::to_string(network_.inputs.size()));
  std::vector<Tensor> features(network_.features.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Feature& feature = network_.features[static_cast<std::size_t>(network_.inputs[i])];
    if (inputs[i].size() != feature.elements())
      throw Error(ErrorCode::Input, "tensor has the wrong number of elements", "feature '" + feature.name + "'",
                  std::to_string(inputs[i].size()), "give " + std::to_string(feature.elements()));
    features[static_cast<std::size_t>(network_.inputs[i])] = inputs[i];
  }
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    Tensor& result = features[static_cast<std::size_t>(layer.output)];
    if (layer.kind == LayerKind::Convolution) {
      result = convolve(layer, convolutions_[i], features[static_cast<std::size_t>(layer.inputs[0])]);
      continue;
    }
    std::vector<Tensor> sources;
    for (const int input : layer.inputs) sources.push_back(features[static_cast<std::size_t>(input)]);
    result = run_layer(network_, layer, sources);
  }
  return features;
}

}  // namespace espalier::cpu

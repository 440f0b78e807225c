#include "cpu/fast.hpp"

#include <algorithm>

#include "cpu/real_layer.hpp"
#include "esp_arithmetic.hpp"

namespace espalier::cpu {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

/// Maps with their padding, split by stride: element (row, column) of part (y, x) is the padded map's element
/// (row * stride_h + y, column * stride_w + x), so that every tap reads one contiguous run over all output rows.
struct SplitMaps {
  std::size_t rows, columns;
  std::vector<std::int16_t> values;  // [channel][y][x][row][column]
};

/// Strides between outputs; 1 where there is only one, so that the number of parts stays below the size of the map.
struct Strides {
  std::size_t h, w;
};

Strides effective_strides(const Layer& layer, const Feature& out) {
  return {out.height == 1 ? 1 : static_cast<std::size_t>(layer.stride_h),
          out.width == 1 ? 1 : static_cast<std::size_t>(layer.stride_w)};
}

SplitMaps split_maps(const Layer& layer, const Feature& in, const Strides& stride, const Tensor& source) {
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  const std::size_t height = size(in.height + layer.pad_top + layer.pad_bottom);
  const std::size_t width = size(in.width + layer.pad_left + layer.pad_right);
  SplitMaps maps{(height + stride.h - 1) / stride.h, (width + stride.w - 1) / stride.w, {}};
  maps.values.assign(size(in.channels) * stride.h * stride.w * maps.rows * maps.columns,
                     static_cast<std::int16_t>(in.zero));
  const std::int8_t* from = source.data();
  for (std::size_t c = 0; c < size(in.channels); ++c)
    for (std::size_t y = size(layer.pad_top); y < size(layer.pad_top + in.height); ++y)
      for (std::size_t x = size(layer.pad_left); x < size(layer.pad_left + in.width); ++x) {
        const std::size_t part = (c * stride.h + y % stride.h) * stride.w + x % stride.w;
        maps.values[(part * maps.rows + y / stride.h) * maps.columns + x / stride.w] =
            static_cast<std::int16_t>(*from++);
      }
  return maps;
}

/// acc[i] += weight * from[i], wrapping as the contract's accumulator does.
#if defined(__x86_64__)
[[gnu::target_clones("avx2", "default")]]
#endif
void multiply_add(std::uint32_t* acc, const std::int16_t* from, std::int16_t weight, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) acc[i] += static_cast<std::uint32_t>(std::int32_t{weight} * from[i]);
}

}  // namespace

FastExecutor::FastExecutor(const model::Network& network) : network_(network) {
  for (const Layer& layer : network.layers) {
    Convolution& prepared = convolutions_.emplace_back();
    reals_.push_back(layer.kind == LayerKind::Real ? std::make_unique<const RealLayer>(network, layer) : nullptr);
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
            const std::int32_t weight = static_cast<std::int32_t>(layer.weights[next++]);
            if (weight == 0) continue;
            bias = abi::accumulate(bias, -in.zero * weight);
            prepared.taps.push_back({weight, channel / group_outputs * group_inputs + i, ky, kx});
          }
      prepared.bias.push_back(bias);
    }
    prepared.first.push_back(prepared.taps.size());
  }
}

FastExecutor::~FastExecutor() = default;

Tensor FastExecutor::convolve(const Layer& layer, const Convolution& prepared, const Tensor& source) const {
  const Feature& in = network_.features[static_cast<std::size_t>(layer.inputs[0])];
  const Feature& out = network_.features[static_cast<std::size_t>(layer.output)];
  const auto width = static_cast<std::size_t>(out.width), height = static_cast<std::size_t>(out.height);
  const Strides stride = effective_strides(layer, out);
  const SplitMaps maps = split_maps(layer, in, stride, source);
  const std::size_t run = (height - 1) * maps.columns + width;  // with what lies between the rows
  std::vector<std::uint32_t> acc(run);
  Tensor result;
  result.reserve(out.elements());
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(out.channels); ++channel) {
    std::fill(acc.begin(), acc.end(), static_cast<std::uint32_t>(prepared.bias[channel]));
    for (std::size_t t = prepared.first[channel]; t < prepared.first[channel + 1]; ++t) {
      const Tap& tap = prepared.taps[t];
      const auto y = static_cast<std::size_t>(tap.kernel_y) * static_cast<std::size_t>(layer.dilation_h);
      const auto x = static_cast<std::size_t>(tap.kernel_x) * static_cast<std::size_t>(layer.dilation_w);
      const std::size_t part =
          (static_cast<std::size_t>(tap.input_channel) * stride.h + y % stride.h) * stride.w + x % stride.w;
      const std::size_t first = (part * maps.rows + y / stride.h) * maps.columns + x / stride.w;
      multiply_add(acc.data(), maps.values.data() + first, static_cast<std::int16_t>(tap.weight), run);
    }
    const abi::Scale& scale = layer.scale[channel];
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x)
        result.push_back(abi::requantise(static_cast<std::int32_t>(acc[y * maps.columns + x]), scale.multiplier,
                                         scale.shift, out.zero, layer.low, layer.high));
  }
  return result;
}

std::vector<Tensor> FastExecutor::run(std::span<const Tensor> inputs) const {
  std::vector<Tensor> features = place_inputs(network_, inputs);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    Tensor& result = features[static_cast<std::size_t>(layer.output)];
    if (layer.kind == LayerKind::Convolution) {
      result = convolve(layer, convolutions_[i], features[static_cast<std::size_t>(layer.inputs[0])]);
      continue;
    }
    std::vector<Tensor> sources;
    for (const int input : layer.inputs) sources.push_back(features[static_cast<std::size_t>(input)]);
    result = reals_[i] ? reals_[i]->run(sources) : run_layer(network_, layer, sources);
  }
  return features;
}

}  // namespace espalier::cpu

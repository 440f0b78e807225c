#include "cpu/onednn/integer_executor.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "cpu/onednn/integer_convolution.hpp"
#include "cpu/onednn/integer_kernels.hpp"
#include "cpu/onednn/integer_moves.hpp"
#include "esp_error.hpp"

// See executor.cpp.
extern "C" void omp_set_num_threads(int threads);

namespace espalier::cpu {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;
using onednn::ChannelMove;
using onednn::IntegerConvolution;
using onednn::RealStep;
using onednn::Requantiser;

constexpr std::int64_t LargestOperand = 255;  // |a - zero|

/// The largest magnitude of the sums of every channel.
std::vector<std::int64_t> largest_sums(const Layer& layer) {
  std::vector<std::int64_t> most;
  const std::size_t taps = layer.weights.size() / layer.bias.size();
  for (std::size_t c = 0; c < layer.bias.size(); ++c) {
    std::int64_t sum = std::abs(static_cast<std::int64_t>(layer.bias[c]));
    for (std::size_t i = 0; i < taps; ++i) sum += LargestOperand * std::abs(layer.weights[c * taps + i]);
    most.push_back(sum);
  }
  return most;
}

Layer whole_map(const Layer& layer, const Feature& in) {
  Layer whole = layer;
  whole.kernel_h = in.height;
  whole.kernel_w = in.width;
  whole.stride_h = whole.stride_w = whole.dilation_h = whole.dilation_w = 1;
  whole.pad_top = whole.pad_left = whole.pad_bottom = whole.pad_right = 0;
  return whole;
}

/// A layer of a test: every weight the same, no padding.
struct Extreme {
  Layer layer;
  Feature in, out;
};

Extreme extreme_layer(int channels, int groups, int kernel, std::int8_t weight) {
  Extreme test;
  test.in = {"in", channels, 6, 6, 1.0, 0};
  test.out = {"out", channels, 7 - kernel, 7 - kernel, 1.0, 0};
  test.layer.groups = groups;
  test.layer.kernel_h = test.layer.kernel_w = kernel;
  test.layer.weights.assign(static_cast<std::size_t>(channels * (channels / groups) * kernel * kernel), weight);
  test.layer.bias.assign(static_cast<std::size_t>(channels), 0);
  return test;
}

bool sums_are_exact(const Extreme& test, std::uint8_t value) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  IntegerConvolution convolution(test.layer, test.in, test.out, engine, stream);
  const std::vector<std::uint8_t> source(test.in.elements(), value);
  std::vector<std::int32_t> sums(test.out.elements());
  convolution.run(source.data(), sums.data(), stream);
  stream.wait();
  const auto taps = static_cast<std::int32_t>(test.layer.weights.size() / test.layer.bias.size());
  const std::int32_t expected = taps * value * test.layer.weights[0];
  return std::all_of(sums.begin(), sums.end(), [&](std::int32_t sum) { return sum == expected; });
}

bool try_extremes() {
  for (const int kernel : {1, 3}) {
    for (const int groups : {1, 64}) {
      for (const std::int8_t weight : {std::int8_t{-128}, std::int8_t{127}}) {
        const Extreme test = extreme_layer(64, groups, kernel, weight);
        if (!sums_are_exact(test, 0) || !sums_are_exact(test, 255)) return false;
      }
    }
  }
  return true;
}

}  // namespace

bool onednn_integers_are_exact() {
  static const bool exact = try_extremes();
  return exact;
}

struct OneDnnIntegerExecutor::State {
  model::Network original;  // layers of kind Real refer to it
  model::Network network;   // shifted
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  int threads = 1;
  std::vector<std::unique_ptr<IntegerConvolution>> convolutions;  // indexed like network.layers
  std::vector<std::unique_ptr<Requantiser>> requantisers;
  std::vector<std::unique_ptr<const RealStep>> reals;     // the same, null for other kinds
  std::vector<std::optional<ChannelMove>> channel_moves;  // the same
  std::vector<std::vector<std::uint8_t>> features;        // channels innermost
  std::vector<std::int32_t> sums;                         // of the convolution that runs
  std::vector<std::uint8_t> part;                         // of a concatenation

  const Feature& feature(int index) const { return network.features[static_cast<std::size_t>(index)]; }
  std::vector<std::uint8_t>& data(int index) { return features[static_cast<std::size_t>(index)]; }
  void run(std::size_t index);
  void concat(const Layer& layer);
};

OneDnnIntegerExecutor::OneDnnIntegerExecutor(const model::Network& network, const OneDnnOptions& options)
    : state_(new State{.original = network,
                       .network = onednn::shifted(network),
                       .threads = options.threads,
                       .convolutions = {},
                       .requantisers = {},
                       .reals = {},
                       .channel_moves = {},
                       .features = {},
                       .sums = {},
                       .part = {}}) {
  omp_set_num_threads(options.threads);
  if (!onednn_integers_are_exact()) {
    throw Error(ErrorCode::Unsupported, "oneDNN's integer sums are not exact with this instruction set", "CPU",
                onednn_instruction_set(), "use a processor with VNNI, or the executor cpu::FastExecutor");
  }
  for (const Layer& layer : state_->original.layers)
    state_->reals.push_back(layer.kind == LayerKind::Real ? std::make_unique<const RealStep>(state_->original, layer)
                                                          : nullptr);
  for (const Feature& feature : network.features) state_->features.emplace_back(feature.elements());
  for (const Layer& layer : state_->network.layers) {
    state_->convolutions.emplace_back();
    state_->requantisers.emplace_back();
    state_->channel_moves.emplace_back();
    if (layer.kind != LayerKind::Convolution) continue;
    const Feature &in = state_->feature(layer.inputs[0]), &out = state_->feature(layer.output);
    state_->channel_moves.back() = ChannelMove::find(layer, in, out);
    if (state_->channel_moves.back()) continue;
    state_->convolutions.back() = std::make_unique<IntegerConvolution>(layer, in, out, state_->engine, state_->stream);
    state_->requantisers.back() = std::make_unique<Requantiser>(layer.scale, largest_sums(layer), layer, out.zero);
    state_->sums.resize(std::max(state_->sums.size(), out.elements()));
  }
}

OneDnnIntegerExecutor::~OneDnnIntegerExecutor() = default;

void OneDnnIntegerExecutor::State::concat(const Layer& layer) {
  const Feature& out = feature(layer.output);
  const auto channels = static_cast<std::size_t>(out.channels);
  std::size_t first = 0;
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    const Feature& in = feature(layer.inputs[i]);
    const std::uint8_t* source = data(layer.inputs[i]).data();
    if (in.zero != out.zero || in.scale < out.scale || in.scale > out.scale) {
      part.resize(in.elements());
      onednn::requantise({layer, in, out}, layer.scale[i], source, part.data());
      source = part.data();
    }
    const auto width = static_cast<std::size_t>(in.channels);
    for (std::size_t pixel = 0; pixel < out.elements() / channels; ++pixel)
      std::copy_n(source + pixel * width, width, data(layer.output).data() + pixel * channels + first);
    first += width;
  }
}

void OneDnnIntegerExecutor::State::run(std::size_t index) {
  const Layer& layer = network.layers[index];
  const Feature &in = feature(layer.inputs[0]), &out = feature(layer.output);
  const std::uint8_t* const source = data(layer.inputs[0]).data();
  std::uint8_t* const result = data(layer.output).data();
  switch (layer.kind) {
    case LayerKind::Convolution:
      if (channel_moves[index])
        return channel_moves[index]->run(source, result, out.elements() / static_cast<std::size_t>(out.channels));
      convolutions[index]->run(source, sums.data(), stream);
      stream.wait();
      return requantisers[index]->run(sums.data(), result, out.elements() / static_cast<std::size_t>(out.channels));
    case LayerKind::MaxPool:
      return onednn::max_pool({layer, in, out}, source, result);
    case LayerKind::GlobalMaxPool:
      return onednn::max_pool({whole_map(layer, in), in, out}, source, result);
    case LayerKind::AveragePool:
      return onednn::average_pool({layer, in, out}, source, result);
    case LayerKind::GlobalAveragePool:
      return onednn::average_pool({whole_map(layer, in), in, out}, source, result);
    case LayerKind::Add:
      return onednn::residual_add({layer, in, out}, feature(layer.inputs[1]), source, data(layer.inputs[1]).data(),
                                  result);
    case LayerKind::Concat:
      return concat(layer);
    case LayerKind::Requantise:
      return onednn::requantise({layer, in, out}, layer.scale[0], source, result);
    case LayerKind::Real: {
      std::vector<const std::uint8_t*> sources;
      for (const int input : layer.inputs) sources.push_back(data(input).data());
      return reals[index]->run(sources, result);
    }
  }
}

std::vector<Tensor> OneDnnIntegerExecutor::run(std::span<const Tensor> inputs) {
  State& state = *state_;
  const model::Network& network = state.network;
  if (inputs.size() != network.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "network '" + network.name + "'",
                std::to_string(inputs.size()), "give " + std::to_string(network.inputs.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Feature& feature = state.feature(network.inputs[i]);
    if (inputs[i].size() != feature.elements())
      throw Error(ErrorCode::Input, "tensor has the wrong number of elements", "feature '" + feature.name + "'",
                  std::to_string(inputs[i].size()), "give " + std::to_string(feature.elements()));
    onednn::to_channels_last(feature, inputs[i].data(), state.data(network.inputs[i]).data());
  }
  omp_set_num_threads(state.threads);
  for (std::size_t i = 0; i < network.layers.size(); ++i) state.run(i);
  std::vector<Tensor> outputs;
  for (const int index : network.outputs) {
    outputs.emplace_back(state.feature(index).elements());
    onednn::to_channels_first(state.feature(index), state.data(index).data(), outputs.back().data());
  }
  return outputs;
}

}  // namespace espalier::cpu

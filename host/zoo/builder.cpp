#include "zoo/builder.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/masks.hpp"
#include "model/scales.hpp"
#include "zoo/magnitudes.hpp"

namespace espalier::zoo {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

/// Deviation that results have before their activation, in int8 steps: four deviations fill the range above the zero
/// point of a rectified map, three that around the zero point of a linear one.
constexpr double RectifiedDeviation = 60;
constexpr double LinearDeviation = 40;
constexpr double InputDeviation = 74;     // of uniform int8 values
constexpr double AverageGain = 2;         // averages vary less than what they are taken of
constexpr double ChannelDeviation = 0.4;  // of the means of channels, in deviations of their values

int outputs_of(int size, int before, int after, int kernel, int stride) {
  return static_cast<int>(model::window_count(size, before, after, kernel, stride, 1));
}

double deviation_of(Activation activation) {
  return activation == Activation::None ? LinearDeviation : RectifiedDeviation;
}

}  // namespace

Padding same_padding(int size, int kernel, int stride) {
  const int total = std::max(0, ((size + stride - 1) / stride - 1) * stride + kernel - size);
  return {total / 2, total - total / 2};
}

/// Every layer has its own numbers, so that a change of one leaves the others as they are.
Random Builder::layer_random() const {
  Random random(options_.seed * 0x2545F4914F6CDD1DU + network_.layers.size());
  return Random(random.next());
}

int Builder::append(Layer layer, int channels, int height, int width, double scale, std::int32_t zero, Spread spread) {
  Feature feature;
  feature.name = layer.name;
  feature.channels = channels;
  feature.height = height;
  feature.width = width;
  feature.scale = scale;
  feature.zero = zero;
  layer.output = static_cast<int>(network_.features.size());
  network_.features.push_back(std::move(feature));
  network_.layers.push_back(std::move(layer));
  spreads_.push_back(spread);
  return network_.layers.back().output;
}

int Builder::input(int channels, int height, int width) {
  Feature feature;
  feature.name = "input";
  feature.channels = channels;
  feature.height = height;
  feature.width = width;
  feature.scale = 1.0 / InputDeviation;
  network_.inputs.push_back(static_cast<int>(network_.features.size()));
  network_.features.push_back(std::move(feature));
  spreads_.push_back({0, InputDeviation});
  return network_.inputs.back();
}

Layer Builder::windowed(const std::string& name, const char* op, LayerKind kind, int in,
                        const WindowShape& window) const {
  Layer layer;
  layer.name = name;
  layer.op = op;
  layer.kind = kind;
  layer.inputs = {in};
  layer.kernel_h = window.kernel_h;
  layer.kernel_w = window.kernel_w;
  layer.stride_h = layer.stride_w = window.stride;
  const Padding rows =
      window.same ? same_padding(feature(in).height, window.kernel_h, window.stride) : Padding{window.pad, window.pad};
  const Padding columns =
      window.same ? same_padding(feature(in).width, window.kernel_w, window.stride) : Padding{window.pad, window.pad};
  layer.pad_top = rows.before;
  layer.pad_bottom = rows.after;
  layer.pad_left = columns.before;
  layer.pad_right = columns.after;
  return layer;
}

void Builder::fill_weights(Layer& layer, const model::WeightShape& shape, model::Pattern pattern, double density,
                           Random& random) const {
  const std::vector<float> magnitudes = make_magnitudes(shape, random);
  const std::vector<std::uint8_t> keep = model::make_mask(shape, magnitudes, pattern, density);
  layer.weights.assign(shape.count(), 0);
  for (std::size_t row = 0; row < shape.count(); row += shape.row()) {
    const auto first = magnitudes.begin() + static_cast<std::ptrdiff_t>(row);
    const double step = *std::max_element(first, first + static_cast<std::ptrdiff_t>(shape.row())) / 127.0;
    for (std::size_t i = row; i < row + shape.row(); ++i) {
      const bool negative = (random.next() >> 63) != 0;
      if (keep[i] == 0) continue;
      const int value = std::max(1, static_cast<int>(std::lround(magnitudes[i] / step)));
      layer.weights[i] = static_cast<std::int8_t>(negative ? -value : value);
    }
  }
}

void Builder::fill_scales(Layer& layer, const model::WeightShape& shape, double target, Random& random) const {
  const Spread& in = spread(layer.inputs[0]);
  for (std::size_t row = 0; row < shape.count(); row += shape.row()) {
    double energy = 1, sum = 0;
    for (std::size_t i = row; i < row + shape.row(); ++i) {
      const double weight = layer.weights[i];
      energy += weight * weight;
      sum += weight;
    }
    const double deviation = in.deviation * std::sqrt(energy);
    layer.bias.push_back(
        static_cast<std::int32_t>(std::llround((random.unit() - 0.5) * 0.5 * deviation - in.mean * sum)));
    layer.scale.push_back(abi::make_scale((0.75 + 0.5 * random.unit()) * target / deviation));
  }
}

int Builder::weighted(Layer layer, int outputs, Activation activation, model::Pattern pattern, double density) {
  Random random = layer_random();
  const Feature& in = feature(layer.inputs[0]);
  const model::WeightShape shape{outputs, in.channels / layer.groups, layer.kernel_h, layer.kernel_w};
  const double target = deviation_of(activation);
  fill_weights(layer, shape, pattern, density, random);
  fill_scales(layer, shape, target, random);
  const int height = outputs_of(in.height, layer.pad_top, layer.pad_bottom, layer.kernel_h, layer.stride_h);
  const int width = outputs_of(in.width, layer.pad_left, layer.pad_right, layer.kernel_w, layer.stride_w);
  if (activation == Activation::None) {
    return append(std::move(layer), outputs, height, width, 1.0 / target, random.between(-16, 16), {0, target});
  }
  // The zero point is the lowest level, so that the int8 range is the clamp. Of a normal distribution cut at its mean:
  // mean 0.4, deviation 0.58.
  return append(std::move(layer), outputs, height, width, 1.0 / target, -128, {0.4 * target, 0.58 * target});
}

int Builder::convolution(const std::string& name, int in, int outputs, const WindowShape& window,
                         Activation activation) {
  const bool first = network_.layers.empty();
  return weighted(windowed(name, "Conv", LayerKind::Convolution, in, window), outputs, activation,
                  first ? model::Pattern::Unstructured : options_.pattern,
                  first ? std::max(options_.density, options_.first_density) : options_.density);
}

int Builder::depthwise(const std::string& name, int in, const WindowShape& window, Activation activation) {
  Layer layer = windowed(name, "Conv", LayerKind::Convolution, in, window);
  const int channels = feature(in).channels;
  layer.groups = channels;
  return weighted(std::move(layer), channels, activation, model::Pattern::Unstructured, options_.depthwise_density);
}

int Builder::fully_connected(const std::string& name, int in, int outputs, Activation activation) {
  const WindowShape window{feature(in).height, feature(in).width, 1, 0, false};
  return weighted(windowed(name, "Gemm", LayerKind::Convolution, in, window), outputs, activation, options_.pattern,
                  options_.density);
}

int Builder::max_pool(const std::string& name, int in, const WindowShape& window) {
  Layer layer = windowed(name, "MaxPool", LayerKind::MaxPool, in, window);
  const Feature& map = feature(in);
  const int height = outputs_of(map.height, layer.pad_top, layer.pad_bottom, layer.kernel_h, layer.stride_h);
  const int width = outputs_of(map.width, layer.pad_left, layer.pad_right, layer.kernel_w, layer.stride_w);
  const Spread& values = spread(in);
  return append(std::move(layer), map.channels, height, width, map.scale, map.zero,
                {values.mean + values.deviation, values.deviation});
}

int Builder::global_average(const std::string& name, int in) {
  Layer layer;
  layer.name = name;
  layer.op = "GlobalAveragePool";
  layer.kind = LayerKind::GlobalAveragePool;
  layer.inputs = {in};
  layer.ratio = AverageGain;
  const Feature& map = feature(in);
  const double taps = static_cast<double>(map.height) * map.width;
  const Spread& values = spread(in);
  const double within = AverageGain * values.deviation / std::sqrt(taps);
  const Spread averages{AverageGain * values.mean,
                        std::hypot(within, AverageGain * ChannelDeviation * values.deviation)};
  return append(std::move(layer), map.channels, 1, 1, map.scale / AverageGain, map.zero, averages);
}

int Builder::classifier(int in, int classes) {
  return fully_connected("fc", global_average("pool", in), classes, Activation::None);
}

int Builder::add(const std::string& name, int a, int b, Activation activation) {
  Random random = layer_random();
  Layer layer;
  layer.name = name;
  layer.op = "Add";
  layer.kind = LayerKind::Add;
  layer.inputs = {a, b};
  const Feature &first = feature(a), &second = feature(b);
  const double mean = spread(a).mean * first.scale + spread(b).mean * second.scale;
  const double deviation = std::hypot(spread(a).deviation * first.scale, spread(b).deviation * second.scale, mean);
  const double scale = deviation / deviation_of(activation);
  model::set_add_scales(layer, first.scale / scale, second.scale / scale);
  const std::int32_t zero = activation == Activation::None ? random.between(-16, 16) : -128;
  const int channels = first.channels, height = first.height, width = first.width;
  const double share = activation == Activation::None ? 1.0 : 0.6;
  const Spread sum{mean / scale * share + (activation == Activation::None ? 0 : 0.4) * deviation / scale * (1 - share),
                   share * deviation / scale};
  return append(std::move(layer), channels, height, width, scale, zero, sum);
}

model::Network Builder::finish(int output) {
  network_.outputs = {output};
  model::validate(network_);
  return std::move(network_);
}

}  // namespace espalier::zoo

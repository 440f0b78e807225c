#include "cpu/onednn/integer_program.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "cpu/onednn/integer_convolution.hpp"
#include "cpu/onednn/integer_kernels.hpp"
#include "cpu/onednn/integer_moves.hpp"
#include "cpu/onednn/vnni_convolution.hpp"
#include "cpu/onednn/vnni_depthwise.hpp"

namespace espalier::cpu::onednn {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

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

/// The same add with its operands exchanged.
Layer exchanged(Layer add) {
  std::swap(add.inputs[0], add.inputs[1]);
  std::swap(add.scale[0].multiplier, add.multiplier_b);
  return add;
}

bool contains(const std::vector<const Layer*>& layers, const Layer* layer) {
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

std::size_t pixels_of(const Feature& map) { return map.elements() / static_cast<std::size_t>(map.channels); }

}  // namespace

IntegerProgram::IntegerProgram(const model::Network& network, const OneDnnOptions& options)
    : original_(network),
      network_(shifted(network)),
      vnni_(options.threads == 1 && vnni_in_use()),
      merge_edges_(options.merge_edges) {
  for (const Feature& feature : network_.features) features_.emplace_back(feature.elements() + MapSlack);
  for (const int output : network_.outputs) outputs_.emplace_back(feature(output).elements());
  for (const Layer& layer : original_.layers)
    reals_.push_back(layer.kind == LayerKind::Real ? std::make_unique<RealStep>(original_, layer) : nullptr);
  std::vector<const Layer*> fused;  // computed by the add behind them
  for (const Layer& layer : network_.layers)
    if (layer.kind == LayerKind::Add) fused.push_back(fused_before(layer));
  for (std::size_t i = 0; i < network_.inputs.size(); ++i) add_input(i);
  for (const int output : network_.outputs) last_.push_back(last_move(output));
  for (const Layer& layer : network_.layers)
    if (!contains(fused, &layer) && !contains(first_, &layer) && !contains(last_, &layer))
      steps_.push_back(step(layer));
  for (std::size_t i = 0; i < network_.outputs.size(); ++i) add_output(i);
}

void IntegerProgram::enter(std::span<const Tensor> inputs) {
  inputs_ = inputs;
  for (const Step& step : enter_) step();
}

void IntegerProgram::compute() {
  for (const Step& step : steps_) step();
}

const std::vector<Tensor>& IntegerProgram::leave() {
  for (const Step& step : leave_) step();
  return outputs_;
}

/// The layer that alone reads a feature, once; null if there are several, or the feature is an output.
const Layer* IntegerProgram::only_reader(int index) const {
  if (std::count(network_.outputs.begin(), network_.outputs.end(), index) != 0) return nullptr;
  const Layer* reader = nullptr;
  for (const Layer& layer : network_.layers) {
    const auto count = std::count(layer.inputs.begin(), layer.inputs.end(), index);
    if (count > 1 || (count == 1 && reader != nullptr)) return nullptr;
    if (count == 1) reader = &layer;
  }
  return reader;
}

const Layer* IntegerProgram::writer(int index) const {
  const auto found = std::find_if(network_.layers.begin(), network_.layers.end(),
                                  [&](const Layer& layer) { return layer.output == index; });
  return found == network_.layers.end() ? nullptr : &*found;
}

/// The step of a layer of kind Real that moves single values; null for all else.
const RealStep* IntegerProgram::move_of(const Layer* layer) const {
  if (layer == nullptr || !merge_edges_) return nullptr;
  const RealStep* const real = reals_[static_cast<std::size_t>(layer - network_.layers.data())].get();
  return real != nullptr && real->moves() ? real : nullptr;
}

/// True if the kernels for VNNI compute the layer; convolutions of many weights are oneDNN's.
bool IntegerProgram::by_vnni(const Layer& layer) const {
  if (!vnni_ || layer.kind != LayerKind::Convolution) return false;
  const Feature &in = feature(layer.inputs[0]), &out = feature(layer.output);
  return !ChannelMove::find(layer, in, out) &&
         (VnniConvolution::takes(layer, in, out) || VnniDepthwise::takes(layer, in, out)) &&
         fits_float64(layer, largest_sums(layer));
}

/// The convolution that is one step with the add behind it; null if there is none.
const Layer* IntegerProgram::fused_before(const Layer& add) const {
  if (!vnni_ || add.inputs[0] == add.inputs[1]) return nullptr;
  for (const Layer& candidate : {add, exchanged(add)}) {
    const int sum = candidate.inputs[0], other = candidate.inputs[1];
    const Layer* const before = writer(sum);
    if (before == nullptr || only_reader(sum) == nullptr || !by_vnni(*before)) continue;
    if (!VnniConvolution::takes(*before, feature(before->inputs[0]), feature(sum))) continue;
    const VnniAdd fused = VnniAdd::of(candidate, feature(sum), feature(other), feature(add.output));
    if (is_exact(fused, candidate, feature(sum), feature(other), feature(add.output))) return before;
  }
  return nullptr;
}

// A layer that moves single values reads an input of the network, or writes an output, in the order of the tensor.
void IntegerProgram::add_input(std::size_t input) {
  const int index = network_.inputs[input];
  const Feature& map = feature(index);
  std::uint8_t* const values = data(index);
  const Layer* const reader = only_reader(index);
  if (const RealStep* const move = move_of(reader)) {
    std::uint8_t* const result = data(reader->output);
    enter_.emplace_back([=, this] { move->run_from(inputs_[input], result); });
    first_.push_back(reader);
    return;
  }
  enter_.emplace_back([=, this, &map] { to_channels_last(map, inputs_[input].data(), values); });
}

/// The layer that writes an output of the network and moves single values, if no layer reads them; else null.
const Layer* IntegerProgram::last_move(int output) const {
  const Layer* const last = writer(output);
  const bool read = std::any_of(network_.layers.begin(), network_.layers.end(), [&](const Layer& layer) {
    return std::find(layer.inputs.begin(), layer.inputs.end(), output) != layer.inputs.end();
  });
  return read || move_of(last) == nullptr || contains(first_, last) || contains(last_, last) ? nullptr : last;
}

void IntegerProgram::add_output(std::size_t output) {
  const int index = network_.outputs[output];
  const Feature& map = feature(index);
  const std::uint8_t* const values = data(index);
  if (const Layer* const last = last_[output]) {
    const std::uint8_t* const source = data(last->inputs[0]);
    leave_.emplace_back([=, move = move_of(last), this] { move->run_to(source, outputs_[output]); });
    return;
  }
  leave_.emplace_back([=, this, &map] { to_channels_first(map, values, outputs_[output].data()); });
}

IntegerProgram::Step IntegerProgram::step(const Layer& layer) {
  const Feature &in = feature(layer.inputs[0]), &out = feature(layer.output);
  const std::uint8_t* const source = data(layer.inputs[0]);
  std::uint8_t* const result = data(layer.output);
  switch (layer.kind) {
    case LayerKind::Convolution:
      return convolution(layer);
    case LayerKind::MaxPool:
      return [=, &layer, &in, &out] { max_pool({layer, in, out}, source, result); };
    case LayerKind::GlobalMaxPool:
      return [=, whole = over_whole_map(layer, in), &in, &out] { max_pool({whole, in, out}, source, result); };
    case LayerKind::AveragePool:
      return [=, &layer, &in, &out] { average_pool({layer, in, out}, source, result); };
    case LayerKind::GlobalAveragePool:
      return [=, whole = over_whole_map(layer, in), &in, &out] { average_pool({whole, in, out}, source, result); };
    case LayerKind::Add:
      return residual_add(layer);
    case LayerKind::Concat:
      return [this, &layer] { concat(layer); };
    case LayerKind::Requantise:
      return [=, &layer, &in, &out] { requantise({layer, in, out}, layer.scale[0], source, result); };
    case LayerKind::Real:
      return real(layer);
  }
  return {};
}

IntegerProgram::Step IntegerProgram::convolution(const Layer& layer) {
  const Feature &in = feature(layer.inputs[0]), &out = feature(layer.output);
  const std::uint8_t* const source = data(layer.inputs[0]);
  std::uint8_t* const result = data(layer.output);
  if (const auto move = ChannelMove::find(layer, in, out))
    return [=, pixels = pixels_of(out)] { move->run(source, result, pixels); };
  if (by_vnni(layer)) {
    if (VnniDepthwise::takes(layer, in, out))
      return [=, kernel = VnniDepthwise(layer, in, out)] { kernel.run(source, result); };
    return [=, kernel = VnniConvolution(layer, in, out)]() mutable { kernel.run(source, result, nullptr); };
  }
  const auto sums = std::make_shared<IntegerConvolution>(layer, in, out, engine_, stream_);
  sums_.resize(std::max(sums_.size(), out.elements()));
  return
      [=, this, requantiser = Requantiser(layer.scale, largest_sums(layer), layer, out.zero), pixels = pixels_of(out)] {
        sums->run(source, sums_.data(), stream_);
        stream_.wait();
        requantiser.run(sums_.data(), result, pixels);
      };
}

IntegerProgram::Step IntegerProgram::residual_add(const Layer& layer) {
  const Feature& out = feature(layer.output);
  std::uint8_t* const result = data(layer.output);
  if (const Layer* const before = fused_before(layer)) {
    const Layer add = before->output == layer.inputs[0] ? layer : exchanged(layer);
    VnniConvolution kernel(*before, feature(before->inputs[0]), feature(before->output),
                           VnniAdd::of(add, feature(add.inputs[0]), feature(add.inputs[1]), out));
    return [=, source = data(before->inputs[0]), other = data(add.inputs[1])]() mutable {
      kernel.run(source, result, other);
    };
  }
  const Feature &a = feature(layer.inputs[0]), &b = feature(layer.inputs[1]);
  const std::uint8_t *const from_a = data(layer.inputs[0]), *const from_b = data(layer.inputs[1]);
  const VnniAdd add = VnniAdd::of(layer, a, b, out);
  if (vnni_ && is_exact(add, layer, a, b, out))
    return [=, count = out.elements()] { add.run(from_a, from_b, result, count); };
  return [=, &layer, &a, &b, &out] { onednn::residual_add({layer, a, out}, b, from_a, from_b, result); };
}

IntegerProgram::Step IntegerProgram::real(const Layer& layer) {
  const RealStep& real = *reals_[static_cast<std::size_t>(&layer - network_.layers.data())];
  std::vector<const std::uint8_t*> sources;
  for (const int input : layer.inputs) sources.push_back(data(input));
  return [&real, sources, result = data(layer.output)] { real.run(sources, result); };
}

void IntegerProgram::concat(const Layer& layer) {
  const Feature& out = feature(layer.output);
  const auto channels = static_cast<std::size_t>(out.channels);
  std::size_t first = 0;
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    const Feature& in = feature(layer.inputs[i]);
    const std::uint8_t* source = data(layer.inputs[i]);
    if (in.zero != out.zero || in.scale < out.scale || in.scale > out.scale) {
      part_.resize(in.elements());
      onednn::requantise({layer, in, out}, layer.scale[i], source, part_.data());
      source = part_.data();
    }
    const auto width = static_cast<std::size_t>(in.channels);
    for (std::size_t pixel = 0; pixel < out.elements() / channels; ++pixel)
      std::copy_n(source + pixel * width, width, data(layer.output) + pixel * channels + first);
    first += width;
  }
}

}  // namespace espalier::cpu::onednn

#include "cpu/onednn/integer_moves.hpp"

#include <algorithm>

#include "cpu/onednn/integer_kernels.hpp"
#include "esp_arithmetic.hpp"

namespace espalier::cpu::onednn {
namespace {

using model::Feature;
using model::Layer;

const Feature& feature(const model::Network& network, int index) {
  return network.features[static_cast<std::size_t>(index)];
}

/// The place of element `index` in the order channel, row, column where channels are innermost.
std::size_t innermost(const Feature& map, std::size_t index) {
  const std::size_t plane = map.elements() / static_cast<std::size_t>(map.channels);
  return index % plane * static_cast<std::size_t>(map.channels) + index / plane;
}

}  // namespace

RealStep::RealStep(const model::Network& network, const Layer& layer)
    : network_(network), layer_(layer), real_(network, layer) {
  if (!real_.table()) return;
  for (std::size_t i = 0; i < table_.size(); ++i) table_[i] = static_cast<std::uint8_t>((*real_.table())[i] + 128);
  if (real_.places().empty()) return;
  const Feature &in = feature(network, layer.inputs[0]), &out = feature(network, layer.output);
  places_.resize(out.elements());
  for (std::size_t i = 0; i < places_.size(); ++i)
    places_[innermost(out, i)] = static_cast<std::uint32_t>(innermost(in, real_.places()[i]));
}

void RealStep::run(std::span<const std::uint8_t* const> sources, std::uint8_t* result) const {
  const Feature& out = feature(network_, layer_.output);
  if (real_.table()) {
    for (std::size_t i = 0; i < out.elements(); ++i) result[i] = table_[sources[0][places_.empty() ? i : places_[i]]];
    return;
  }
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Feature& in = feature(network_, layer_.inputs[i]);
    inputs.emplace_back(in.elements());
    to_channels_first(in, sources[i], inputs.back().data());
  }
  to_channels_last(out, real_.run(inputs).data(), result);
}

std::optional<ChannelMove> ChannelMove::find(const Layer& layer, const Feature& in, const Feature& out) {
  const bool point = layer.kernel_h == 1 && layer.kernel_w == 1 && layer.stride_h == 1 && layer.stride_w == 1 &&
                     layer.groups == 1 && in.height == out.height && in.width == out.width && layer.pad_top == 0 &&
                     layer.pad_left == 0;
  if (!point) return {};
  ChannelMove move;
  const auto inputs = static_cast<std::size_t>(in.channels);
  move.in_channels_ = inputs;
  std::optional<std::array<std::uint8_t, 256>> table;
  for (std::size_t o = 0; o < static_cast<std::size_t>(out.channels); ++o) {
    const auto first = layer.weights.begin() + static_cast<std::ptrdiff_t>(o * inputs), last = first + in.channels;
    const auto found = std::find_if(first, last, [](std::int8_t weight) { return weight != 0; });
    if (found != last && std::any_of(found + 1, last, [](std::int8_t weight) { return weight != 0; })) return {};
    const std::int32_t weight = found == last ? 0 : *found;
    std::array<std::uint8_t, 256> own{};
    for (std::int32_t value = 0; value < 256; ++value)
      own[static_cast<std::size_t>(value)] = static_cast<std::uint8_t>(
          128 + abi::requantise(layer.bias[o] + weight * (value - in.zero), layer.scale[o].multiplier,
                                layer.scale[o].shift, out.zero - 128, layer.low - 128, layer.high - 128));
    move.source_.push_back(found == last ? -1 : static_cast<std::int32_t>(found - first));
    move.filler_.push_back(own[0]);
    if (found == last) continue;
    if (table && *table != own) return {};
    table = own;
  }
  if (!table) return {};
  move.table_ = *table;
  for (std::size_t i = 0; i < 256; ++i) move.same_ = move.same_ && move.table_[i] == i;
  const auto start = std::find(move.source_.begin(), move.source_.end(), 0);
  move.first_ = static_cast<std::size_t>(start - move.source_.begin());
  while (move.first_ + move.straight_ < move.source_.size() &&
         move.source_[move.first_ + move.straight_] == static_cast<std::int32_t>(move.straight_))
    ++move.straight_;
  return move;
}

void ChannelMove::run(const std::uint8_t* source, std::uint8_t* result, std::size_t pixels) const {
  const std::size_t channels = source_.size();
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, source += in_channels_, result += channels) {
    if (same_ && straight_ == in_channels_) {
      std::copy(filler_.begin(), filler_.end(), result);
      std::copy_n(source, straight_, result + first_);
      continue;
    }
    for (std::size_t c = 0; c < channels; ++c) result[c] = source_[c] < 0 ? filler_[c] : table_[source[source_[c]]];
  }
}

}  // namespace espalier::cpu::onednn

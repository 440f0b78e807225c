#include "cpu/onednn/integer_moves.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/onednn/integer_kernels.hpp"
#include "esp_arithmetic.hpp"

namespace espalier::cpu::onednn {
namespace {

using model::Feature;
using model::Layer;

constexpr std::size_t Chunk = 16;    // bytes that are copied at once, no more than MapSlack
constexpr std::uint8_t Shift = 128;  // between int8 and the value held: one bit, either way

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
  for (std::size_t i = 0; i < table_.size(); ++i) table_[i] = static_cast<std::uint8_t>((*real_.table())[i] + Shift);
  same_ = std::all_of(table_.begin(), table_.end(), [&](const std::uint8_t& v) { return v == &v - table_.data(); });
  const Feature &in = feature(network, layer.inputs[0]), &out = feature(network, layer.output);
  places_.resize(out.elements());
  from_.resize(out.elements());
  to_.resize(out.elements());
  for (std::size_t i = 0; i < to_.size(); ++i) {
    const std::size_t source = real_.places().empty() ? i : real_.places()[i];
    const auto held = static_cast<std::uint32_t>(innermost(in, source));
    to_[i] = held;
    places_[innermost(out, i)] = held;
    from_[innermost(out, i)] = static_cast<std::uint32_t>(source);
  }
  for (Places* const places : {&places_, &from_, &to_}) {
    std::uint32_t next = 0;
    if (std::all_of(places->begin(), places->end(), [&](std::uint32_t place) { return place == next++; }))
      places->clear();
  }
}

/// `shift`: from a value to the one held, modulo 256, which is also the way back.
template <typename Value, typename Result>
void RealStep::move(const Value* values, Result* results, const Places& places, std::uint8_t shift_in,
                    std::uint8_t shift_out) const {
  const std::size_t count = feature(network_, layer_.output).elements();
  if (same_ && places.empty()) {
    const auto shift = static_cast<std::uint8_t>(shift_in ^ shift_out);
    for (std::size_t i = 0; i < count; ++i)
      results[i] = static_cast<Result>(static_cast<std::uint8_t>(values[i]) ^ shift);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto held =
        static_cast<std::uint8_t>(static_cast<std::uint8_t>(values[places.empty() ? i : places[i]]) ^ shift_in);
    results[i] = static_cast<Result>(table_[held] ^ shift_out);
  }
}

void RealStep::run_from(const Tensor& input, std::uint8_t* result) const {
  move(input.data(), result, from_, Shift, 0);
}

void RealStep::run_to(const std::uint8_t* source, Tensor& result) const { move(source, result.data(), to_, 0, Shift); }

void RealStep::run(std::span<const std::uint8_t* const> sources, std::uint8_t* result) const {
  if (real_.table()) return move(sources[0], result, places_, 0, 0);
  const Feature& out = feature(network_, layer_.output);
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
  move.filler_.resize(move.filler_.size() + Chunk);
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
  if (same_ && straight_ == in_channels_ && first_ == 0) return widen(source, result, pixels);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, source += in_channels_, result += channels) {
    if (same_ && straight_ == in_channels_) {
      std::copy_n(filler_.begin(), channels, result);
      std::copy_n(source, straight_, result + first_);
      continue;
    }
    for (std::size_t c = 0; c < channels; ++c) result[c] = source_[c] < 0 ? filler_[c] : table_[source[source_[c]]];
  }
}

/// Whole chunks are copied: what they write too much is the next pixel's, which follows, or behind the map.
void ChannelMove::widen(const std::uint8_t* source, std::uint8_t* result, std::size_t pixels) const {
  const std::size_t channels = source_.size(), fillers = channels - in_channels_;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, source += in_channels_, result += channels) {
    for (std::size_t c = 0; c < in_channels_; c += Chunk) std::memcpy(result + c, source + c, Chunk);
    for (std::size_t c = 0; c < fillers; c += Chunk)
      std::memcpy(result + in_channels_ + c, filler_.data() + in_channels_ + c, Chunk);
  }
}

}  // namespace espalier::cpu::onednn

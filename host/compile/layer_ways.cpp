#include "compile/layer_ways.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace espalier::compile {
namespace {

using model::LayerKind;

constexpr int MostDenseKernel = (1 << abi::CmdTapCount0Bits) - 1;

}  // namespace

bool dense_kernel(int kernel_y, int kernel_x) { return kernel_y <= MostDenseKernel && kernel_x <= MostDenseKernel; }

int LayerWays::input_channels() const { return network_.features[static_cast<std::size_t>(layer_.inputs[0])].channels; }

std::vector<SplitOption> LayerWays::options(const ChannelPlace& place) const {
  std::vector<SplitOption> result;
  for (int split = 1; split <= static_cast<int>(configuration_.max_split()); split *= 2) {
    if (split > 1 && !possible(split, place)) continue;
    if (options_.split && split > *options_.split) break;
    SplitOption option{split, divide_up(place.channels, split), ways(split, place.channels)};
    if (options_.split) result.clear();
    result.push_back(std::move(option));
  }
  return result;
}

/// The last word of a step holds channels of that step alone, and those of a group stay together.
bool LayerWays::possible(int split, const ChannelPlace& place) const {
  if (!place.last && place.channels % split != 0) return false;
  if (layer_.kind != LayerKind::Convolution) return true;
  if (options_.mode == Mode::Sparse) return false;
  const int inputs = input_channels();
  const bool channelwise = layer_.groups == inputs && layer_.groups == place.channels;
  if (channelwise) return true;
  if (layer_.groups == 1) return dense_kernel(layer_.kernel_h, layer_.kernel_w);
  return inputs / layer_.groups % split == 0 && place.channels / layer_.groups % split == 0;
}

/// Cycles until a slot of private words has arrived: those of the weight unit or of the memory.
double LayerWays::private_stream(int split) const {
  const unsigned entry_bits = split == 2 ? abi::ShortBits : abi::EntryBits;
  const double bytes = configuration_.lanes * entry_bits / 8.0;
  const double entries = std::max(1.0, bytes / abi::BeatBytes) + (split == 1 ? 0 : 1);
  const double beats = split == 1 ? bytes / abi::BeatBytes : 1 + std::ceil(bytes / abi::BeatBytes);
  return std::max(entries, beats * abi::BeatBytes / options_.memory.bytes);
}

std::vector<Way> LayerWays::ways(int split, int channels) const {
  const double lanes = configuration_.lanes;
  const double sparse_stream = private_stream(1);
  const double rows = divide_up(channels, split);
  switch (layer_.kind) {
    case LayerKind::Convolution:
      return convolution_ways(split);
    case LayerKind::Add:
      return {{std::max(1.0, 3 * rows / lanes), sparse_stream}};
    case LayerKind::MaxPool:
    case LayerKind::AveragePool:
      return {{layer_.kernel_h * layer_.kernel_w * rows / lanes, sparse_stream}};
    case LayerKind::GlobalAveragePool:
    case LayerKind::GlobalMaxPool:
      return {{std::max(1.0, rows / lanes), private_stream(split)}};
    case LayerKind::Requantise:
    case LayerKind::Concat:
    case LayerKind::Real:  // refused before
      break;
  }
  return {{std::max(1.0, rows / lanes), sparse_stream}};
}

/// Taps of all rows of `split` channels at which one of them has a weight.
double LayerWays::union_size(int split) const {
  const std::size_t channels = layer_.bias.size();
  const std::size_t taps = layer_.weights.size() / std::max<std::size_t>(1, channels);
  const auto size = static_cast<std::size_t>(split);
  std::size_t count = 0;
  std::vector<char> used(taps);
  for (std::size_t first = 0; first < channels; first += size) {
    std::fill(used.begin(), used.end(), char{0});
    for (std::size_t c = first; c < std::min(channels, first + size); ++c) {
      for (std::size_t tap = 0; tap < taps; ++tap) {
        used[tap] = static_cast<char>(used[tap] | (layer_.weights[c * taps + tap] != 0 ? 1 : 0));
      }
    }
    count += static_cast<std::size_t>(std::count(used.begin(), used.end(), char{1}));
  }
  return static_cast<double>(count);
}

std::vector<Way> LayerWays::convolution_ways(int split) const {
  const int lanes = static_cast<int>(configuration_.lanes);
  const int inputs = input_channels() / layer_.groups;
  const int outputs = static_cast<int>(layer_.bias.size()) / layer_.groups;
  const int kernel = layer_.kernel_h * layer_.kernel_w;
  const double line_weights = configuration_.line_weights();
  const double beat_cycles = static_cast<double>(abi::BeatBytes) / options_.memory.bytes;
  const double entries_stream = private_stream(split);
  const bool dense_possible = dense_kernel(layer_.kernel_h, layer_.kernel_w);
  const bool channelwise = inputs == 1 && outputs == 1;
  std::vector<Way> ways;
  if (dense_possible && options_.mode != Mode::Sparse && (split == 1 || !channelwise)) {
    const double row = static_cast<double>(divide_up(inputs, split)) * split * kernel;
    const double rows = static_cast<double>(layer_.groups) * divide_up(divide_up(outputs, split), lanes);
    const double lines = row * split / line_weights;
    ways.push_back({rows * row, split / line_weights * beat_cycles, lines <= configuration_.line_depth,
                    beat_cycles > 1 ? row : 0});
  }
  if (ways.empty() || options_.mode == Mode::Auto) {
    const double slots = std::max(1.0, union_size(split) / lanes);
    const double rows = divide_up(outputs, split) * static_cast<double>(layer_.groups);
    const double first = beat_cycles > 1 ? slots : 0;
    const bool resident = slots * lanes / rows <= configuration_.line_depth / 2.0;
    ways.push_back({slots, entries_stream, split == 1 || resident, first});
  }
  return ways;
}

}  // namespace espalier::compile

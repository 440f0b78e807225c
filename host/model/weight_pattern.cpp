#include "model/weight_pattern.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <set>
#include <vector>

namespace espalier::model {
namespace {

constexpr double DenseShare = 0.9;
constexpr double BlockShare = 0.9;  // quantisation makes some weights of a block zero
constexpr std::size_t MostArrangements = 16;
constexpr std::size_t LargestKernel = 64;  // positions, for patterns of kernels

/// Where the weights of the channels that have any are not zero.
class Support {
 public:
  Support(std::span<const std::int8_t> weights, const WeightShape& shape);

  std::size_t outputs() const { return outputs_.size(); }
  std::size_t inputs() const { return inputs_.size(); }
  const std::vector<std::size_t>& output_channels() const { return outputs_; }
  const std::vector<std::size_t>& input_channels() const { return inputs_; }
  std::size_t taps() const { return shape_.taps(); }
  std::size_t nonzero() const { return nonzero_; }
  double density() const { return static_cast<double>(nonzero_) / static_cast<double>(outputs() * inputs() * taps()); }
  bool at(std::size_t output, std::size_t input, std::size_t tap) const {
    return weights_[outputs_[output] * shape_.row() + inputs_[input] * shape_.taps() + tap] != 0;
  }

 private:
  std::span<const std::int8_t> weights_;
  WeightShape shape_;
  std::vector<std::size_t> outputs_, inputs_;  // channels that have weights
  std::size_t nonzero_ = 0;
};

Support::Support(std::span<const std::int8_t> weights, const WeightShape& shape) : weights_(weights), shape_(shape) {
  std::vector<char> used(static_cast<std::size_t>(shape.inputs));
  for (std::size_t output = 0; output < static_cast<std::size_t>(shape.outputs); ++output) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < shape.row(); ++i) {
      if (weights[output * shape.row() + i] == 0) continue;
      ++count;
      used[i / shape.taps()] = 1;
    }
    if (count > 0) outputs_.push_back(output);
    nonzero_ += count;
  }
  for (std::size_t input = 0; input < used.size(); ++input) {
    if (used[input] != 0) inputs_.push_back(input);
  }
}

/// Whether at most `most` of every `group` consecutive input channels have a weight. Channels that were left aside
/// would only make room, so the groups are those of the whole layer.
bool few_of_group(std::span<const std::int8_t> weights, const WeightShape& shape, std::size_t most, std::size_t group) {
  const auto inputs = static_cast<std::size_t>(shape.inputs);
  if (inputs < group) return false;
  for (std::size_t row = 0; row < shape.count(); row += shape.row()) {
    for (std::size_t tap = 0; tap < shape.taps(); ++tap) {
      std::size_t count = 0;
      for (std::size_t input = 0; input < inputs; ++input) {
        if (input % group == 0) count = 0;
        if (weights[row + input * shape.taps() + tap] != 0 && ++count > most) return false;
      }
    }
  }
  return true;
}

/// Channels [first, end) of those that have weights: the ones in the same block.
struct BlockSide {
  std::size_t first, end;
};

std::vector<BlockSide> block_sides(const std::vector<std::size_t>& channels, std::size_t size) {
  std::vector<BlockSide> sides;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (i == 0 || channels[i] / size != channels[i - 1] / size) sides.push_back({i, i});
    sides.back().end = i + 1;
  }
  return sides;
}

/// Whether the weights in blocks that are not empty are nearly all there.
bool in_blocks(const Support& support, std::size_t rows, std::size_t columns) {
  const std::vector<BlockSide> inputs = block_sides(support.input_channels(), columns);
  std::size_t places = 0, there = 0;
  for (const BlockSide& output : block_sides(support.output_channels(), rows)) {
    for (const BlockSide& input : inputs) {
      for (std::size_t tap = 0; tap < support.taps(); ++tap) {
        std::size_t count = 0;
        for (std::size_t o = output.first; o < output.end; ++o)
          for (std::size_t i = input.first; i < input.end; ++i) count += support.at(o, i, tap) ? 1 : 0;
        if (count > 0) places += (output.end - output.first) * (input.end - input.first);
        there += count;
      }
      // Other structures are told apart early.
      if (places > 8192 && static_cast<double>(there) < 0.8 * static_cast<double>(places)) return false;
    }
  }
  return static_cast<double>(there) >= BlockShare * static_cast<double>(places);
}

/// "blockRxC" with the largest blocks; empty if there are none.
std::string block_pattern(const Support& support) {
  constexpr std::array<std::size_t, 5> Sizes{16, 8, 4, 2, 1};
  std::size_t best = 1;
  std::string name;
  for (const std::size_t rows : Sizes) {
    for (const std::size_t columns : Sizes) {
      const bool fits = rows <= support.outputs() && columns <= support.inputs();
      if (!fits || rows * columns <= best || !in_blocks(support, rows, columns)) continue;
      best = rows * columns;
      name = "block" + std::to_string(rows) + "x" + std::to_string(columns);
    }
  }
  return name;
}

/// "patternNofK"; empty if kernels have more arrangements.
std::string kernel_pattern(const Support& support) {
  if (support.taps() < 4 || support.taps() > LargestKernel) return {};
  std::set<std::uint64_t> arrangements;
  for (std::size_t output = 0; output < support.outputs(); ++output) {
    for (std::size_t input = 0; input < support.inputs(); ++input) {
      std::uint64_t arrangement = 0;
      for (std::size_t tap = 0; tap < support.taps(); ++tap)
        arrangement |= std::uint64_t{support.at(output, input, tap)} << tap;
      if (arrangement != 0) arrangements.insert(arrangement);
      if (arrangements.size() > MostArrangements) return {};
    }
  }
  int most = 0;
  for (const std::uint64_t arrangement : arrangements) most = std::max(most, std::popcount(arrangement));
  if (static_cast<std::size_t>(most) == support.taps()) return {};
  return "pattern" + std::to_string(most) + "of" + std::to_string(support.taps());
}

std::string structure(std::span<const std::int8_t> weights, const WeightShape& shape, const Support& support) {
  struct Ratio {
    std::size_t most, group;
  };
  constexpr std::array<Ratio, 5> Ratios{{{1, 4}, {2, 8}, {1, 2}, {2, 4}, {4, 8}}};
  if (support.density() >= DenseShare) return "dense";
  if (const std::string name = block_pattern(support); !name.empty()) return name;
  for (const Ratio& ratio : Ratios) {
    if (few_of_group(weights, shape, ratio.most, ratio.group))
      return std::to_string(ratio.most) + ":" + std::to_string(ratio.group);
  }
  std::string name = kernel_pattern(support);
  if (name.empty()) return "unstructured";
  return name;
}

}  // namespace

WeightShape weight_shape(const Network& network, const Layer& layer) {
  const int inputs = network.features[static_cast<std::size_t>(layer.inputs[0])].channels / layer.groups;
  return {network.features[static_cast<std::size_t>(layer.output)].channels, inputs, layer.kernel_h, layer.kernel_w};
}

std::string weight_pattern(std::span<const std::int8_t> weights, const WeightShape& shape) {
  const Support support(weights, shape);
  if (support.nonzero() == 0) return "empty";
  std::string name = structure(weights, shape, support);
  const auto add = [&](std::size_t used, int all, const char* what) {
    if (used < static_cast<std::size_t>(all))
      name += ", " + std::to_string(used) + " of " + std::to_string(all) + " " + what;
  };
  add(support.outputs(), shape.outputs, "outputs");
  add(support.inputs(), shape.inputs, "inputs");
  return name;
}

}  // namespace espalier::model

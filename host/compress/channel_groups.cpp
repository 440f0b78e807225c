#include "compress/channel_groups.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace espalier::compress {
namespace {

using model::Graph;
using model::Node;

/// No clamp, or one at zero alone: both pass a positive factor.
bool passes_factors(const Node& node) {
  const bool clip = node.op == "Clip";
  const float low = node.real(clip ? "min" : "clamp_low", std::numeric_limits<float>::lowest());
  const float high = node.real(clip ? "max" : "clamp_high", std::numeric_limits<float>::max());
  return (low <= std::numeric_limits<float>::lowest() || std::equal_to<>{}(low, 0.0F)) &&
         high >= std::numeric_limits<float>::max();
}

bool is_pool(const Node& node) {
  return node.op == "MaxPool" || node.op == "GlobalMaxPool" || node.op == "AveragePool" ||
         node.op == "GlobalAveragePool";
}

template <typename Parents, typename Number>
Number root(const Parents& parents, Number number) {
  while (parents[static_cast<std::size_t>(number)] != number) number = parents[static_cast<std::size_t>(number)];
  return number;
}

}  // namespace

bool changeable(const Graph& graph, const Node& convolution) {
  const auto own = [&](std::size_t input) {
    if (!convolution.has_input(input)) return true;
    const model::Value& value = graph.value(convolution.inputs[input]);
    return !value.quantisation && value.constant && value.constant->type() == model::ElementType::Float &&
           graph.use_count(convolution.inputs[input]) == 1;
  };
  return own(1) && own(2);
}

ChannelGroups::ChannelGroups(const Graph& canonical) : graph_(canonical) {
  std::size_t count = 0;
  for (const model::Value& value : canonical.values) {
    first_.push_back(count);
    if (!value.constant && value.shape.size() == 4) count += static_cast<std::size_t>(value.shape[1]);
  }
  first_.push_back(count);
  parent_.resize(count);
  std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  fixed_.assign(count, false);
  set_.resize(canonical.values.size());
  std::iota(set_.begin(), set_.end(), 0);
  for (const auto& ports : {canonical.inputs, canonical.outputs})
    for (const model::Port& port : ports) fix(port.value);
  for (const Node& node : canonical.nodes) connect(node);
  for (std::size_t i = 0; i < count; ++i) parent_[i] = root(parent_, i);
}

std::size_t ChannelGroups::channels(int value) const {
  return first_[static_cast<std::size_t>(value) + 1] - first_[static_cast<std::size_t>(value)];
}

std::size_t ChannelGroups::of(int value, std::size_t channel) const {
  return root(parent_, first_[static_cast<std::size_t>(value)] + channel);
}

int ChannelGroups::set_of(int value) const { return root(set_, value); }

void ChannelGroups::connect(const Node& node) {
  const int in = node.inputs[0], out = node.outputs[0];
  const bool passes = passes_factors(node);
  if (node.op == "Conv") {
    const bool own = changeable(graph_, node);
    if (!own) fix(in);
    if (!own || !passes) fix(out);
  } else if (passes && (is_pool(node) || node.op == "Clip")) {
    unite(out, in);
  } else if (passes && node.op == "Add" && channels(node.inputs[1]) == channels(out) && channels(in) == channels(out)) {
    unite(out, in);
    unite(out, node.inputs[1]);
  } else if (passes && node.op == "Concat") {
    std::size_t first = 0;
    for (const int input : node.inputs) {
      unite(out, input, first);
      first += channels(input);
    }
  } else if (node.op == "Real") {
    connect_real(node);
  } else {
    fix_all(node);
  }
}

void ChannelGroups::connect_real(const Node& node) {
  const std::string real = node.text("real_op", {});
  const int in = node.inputs[0], out = node.outputs[0];
  // Only if the axes of the file are those of the map: an operator kept for the CPU may have others.
  const bool maps = node.integers("real_input0", {}) == graph_.value(in).shape &&
                    node.integers("real_output", {}) == graph_.value(out).shape && channels(in) == channels(out);
  if (maps && real == "Mul" && !graph_.is_constant(node.inputs[1]) && in != node.inputs[1]) {
    unite(out, in);
    fix(node.inputs[1]);
  } else if (maps && real == "Resize" && node.text("coordinate_transformation_mode", {}) != "tf_crop_and_resize") {
    unite(out, in);
  } else {
    fix_all(node);
  }
}

void ChannelGroups::unite(int value, std::size_t channel, int other, std::size_t other_channel) {
  const std::size_t a = of(value, channel), b = of(other, other_channel);
  parent_[b] = a;
  fixed_[a] = fixed_[a] || fixed_[b];
}

void ChannelGroups::unite(int value, int other, std::size_t first) {
  for (std::size_t i = 0; i < channels(other); ++i) unite(value, first + i, other, i);
  set_[static_cast<std::size_t>(set_of(other))] = set_of(value);
}

void ChannelGroups::fix(int value) {
  for (std::size_t i = 0; i < channels(value); ++i) fixed_[of(value, i)] = true;
}

void ChannelGroups::fix_all(const Node& node) {
  for (const int input : node.inputs)
    if (input >= 0) fix(input);
  for (const int output : node.outputs) fix(output);
}

}  // namespace espalier::compress

#include "compress/equalise.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

namespace espalier::compress {
namespace {

constexpr int Rounds = 50;
constexpr double Unchanged = 1e-4;  // a factor that differs less from 1 ends the repetition

using model::Graph;
using model::Node;

bool is_output(const Graph& graph, int value) {
  return std::any_of(graph.outputs.begin(), graph.outputs.end(),
                     [&](const model::Port& port) { return port.value == value; });
}

/// Weights and bias are float32 constants that nothing else reads.
bool changeable(const Graph& graph, const Node& node) {
  const auto own = [&](std::size_t input) {
    if (!node.has_input(input)) return true;
    const model::Value& value = graph.value(node.inputs[input]);
    return !value.quantisation && value.constant && value.constant->type() == model::ElementType::Float &&
           graph.use_count(node.inputs[input]) == 1;
  };
  return own(1) && own(2);
}

/// No clamp, or one at zero alone: both pass a positive factor.
bool passes_factors(const Node& node) {
  const float low = node.real("clamp_low", std::numeric_limits<float>::lowest());
  const float high = node.real("clamp_high", std::numeric_limits<float>::max());
  return (low <= std::numeric_limits<float>::lowest() || std::equal_to<>{}(low, 0.0F)) &&
         high >= std::numeric_limits<float>::max();
}

/// The convolution that alone reads what `first` gives, over pools.
std::optional<std::size_t> next_convolution(const Graph& graph, const Node& first) {
  int value = first.outputs[0];
  const Node* node = &first;
  for (;;) {
    if (!passes_factors(*node) || graph.use_count(value) != 1 || is_output(graph, value)) return std::nullopt;
    const auto reader = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& each) {
      return std::find(each.inputs.begin(), each.inputs.end(), value) != each.inputs.end();
    });
    if (reader == graph.nodes.end()) return std::nullopt;
    if (reader->op == "Conv") {
      if (!changeable(graph, *reader)) return std::nullopt;
      return static_cast<std::size_t>(reader - graph.nodes.begin());
    }
    const bool pool = reader->op == "MaxPool" || reader->op == "GlobalMaxPool" || reader->op == "AveragePool" ||
                      reader->op == "GlobalAveragePool";
    if (!pool) return std::nullopt;
    node = &*reader;
    value = node->outputs[0];
  }
}

/// The float32 values of a constant, to be changed.
std::vector<float>& values_of(Graph& graph, int value) {
  return std::get<std::vector<float>>(graph.value(value).constant->values);
}

/// Calls visit(weight, channel) for every weight of the convolution, with the channel of its input that it reads.
template <typename Visitor>
void for_each_read(Graph& graph, const Node& node, Visitor&& visit) {
  std::vector<float>& weights = values_of(graph, node.inputs[1]);
  const model::Shape& shape = graph.value(node.inputs[1]).constant->shape;
  const auto outputs = static_cast<std::size_t>(shape.at(0)), inputs = static_cast<std::size_t>(shape.at(1));
  const auto groups = static_cast<std::size_t>(node.integer("group", 1));
  const std::size_t taps = weights.size() / std::max<std::size_t>(outputs * inputs, 1);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t output = i / (taps * inputs);
    visit(weights[i], output / (outputs / groups) * inputs + i / taps % inputs);
  }
}

/// s of every channel between two convolutions; 1 where one side has no weights.
std::vector<double> channel_factors(Graph& graph, const Node& first, const Node& second) {
  const std::vector<float>& weights = values_of(graph, first.inputs[1]);
  const auto channels = static_cast<std::size_t>(graph.value(first.inputs[1]).constant->shape.at(0));
  const std::size_t row = weights.size() / channels;
  std::vector<double> written(channels, 0.0), read(channels, 0.0), factors(channels, 1.0);
  for (std::size_t i = 0; i < weights.size(); ++i)
    written[i / row] = std::max(written[i / row], std::abs(static_cast<double>(weights[i])));
  for_each_read(graph, second, [&](float weight, std::size_t channel) {
    read[channel] = std::max(read[channel], std::abs(static_cast<double>(weight)));
  });
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = std::sqrt(written[c] / read[c]);
    if (std::isnormal(factor) && std::isnormal(1 / factor)) factors[c] = factor;
  }
  return factors;
}

void scale_channels(Graph& graph, const Node& first, const Node& second, const std::vector<double>& factors) {
  std::vector<float>& weights = values_of(graph, first.inputs[1]);
  const std::size_t row = weights.size() / factors.size();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(weights[i] / factors[i / row]);
  if (first.has_input(2)) {
    std::vector<float>& bias = values_of(graph, first.inputs[2]);
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(bias[c] / factors[c]);
  }
  for_each_read(graph, second,
                [&](float& weight, std::size_t channel) { weight = static_cast<float>(weight * factors[channel]); });
}

double largest_scale(const std::vector<double>& factors) {
  double largest = 1;
  for (const double factor : factors) largest = std::max({largest, factor, 1 / factor});
  return largest;
}

}  // namespace

std::vector<Equalised> equalise(Graph& canonical) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  std::vector<Equalised> result;
  for (std::size_t i = 0; i < canonical.nodes.size(); ++i) {
    const Node& node = canonical.nodes[i];
    if (node.op != "Conv" || !changeable(canonical, node)) continue;
    const auto next = next_convolution(canonical, node);
    if (!next) continue;
    pairs.emplace_back(i, *next);
    result.push_back({node.name, canonical.nodes[*next].name, 1});
  }
  for (int round = 0; round < Rounds; ++round) {
    double largest = 1;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Node &first = canonical.nodes[pairs[i].first], &second = canonical.nodes[pairs[i].second];
      const std::vector<double> factors = channel_factors(canonical, first, second);
      scale_channels(canonical, first, second, factors);
      result[i].largest_scale = std::max(result[i].largest_scale, largest_scale(factors));
      largest = std::max(largest, largest_scale(factors));
    }
    if (largest < 1 + Unchanged) break;
  }
  return result;
}

}  // namespace espalier::compress

#include "compress/equalise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "compress/channel_groups.hpp"
#include "compress/ranges.hpp"

namespace espalier::compress {
namespace {

constexpr std::array Exponents{0.0, 0.25, 0.5, 0.75, 1.0};
constexpr double LeastShare = 1.0 / 32;
constexpr double ActivationSteps = 255, WeightSteps = 127;  // of a tensor's range, and of a largest weight
constexpr double StepVariance = 1.0 / 12;                   // of the error of uniform rounding, in squared steps

using model::Graph;
using model::Node;

/// What the samples say of a channel.
struct Activity {
  Range range;
  double square = 0;  // mean

  double magnitude() const { return std::max(static_cast<double>(range.high), -static_cast<double>(range.low)); }
};

/// The float32 values of a constant, to be changed.
std::vector<float>& values_of(Graph& graph, int value) {
  return std::get<std::vector<float>>(graph.value(value).constant->values);
}

/// Calls visit(weight, output channel, input channel) for every weight of the convolution.
template <typename Visitor>
void for_each_weight(Graph& graph, const Node& node, Visitor&& visit) {
  std::vector<float>& weights = values_of(graph, node.inputs[1]);
  const model::Shape& shape = graph.value(node.inputs[1]).constant->shape;
  const auto outputs = static_cast<std::size_t>(shape.at(0)), inputs = static_cast<std::size_t>(shape.at(1));
  const auto groups = static_cast<std::size_t>(node.integer("group", 1));
  const std::size_t taps = weights.size() / std::max<std::size_t>(outputs * inputs, 1);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t output = i / (taps * inputs);
    visit(weights[i], output, output / (outputs / groups) * inputs + i / taps % inputs);
  }
}

double magnitude(float weight) { return std::abs(static_cast<double>(weight)); }

class Equaliser {
 public:
  Equaliser(Graph& graph, std::span<const Sample> samples)
      : graph_(graph), groups_(graph), activity_(graph.values.size()), factors_(groups_.size(), 1.0) {
    measure(samples);
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const int value = static_cast<int>(i);
      if (groups_.channels(value) > 0) sets_[groups_.set_of(value)].values.push_back(value);
    }
    for (const Node& node : graph.nodes) {
      if (node.op != "Conv" || !changeable(graph, node)) continue;
      sets_[groups_.set_of(node.inputs[0])].readers.push_back(&node);
      sets_[groups_.set_of(node.outputs[0])].writers.push_back(&node);
    }
  }

  std::vector<Equalised> run() {
    std::vector<Equalised> result;
    for (const auto& each : sets_) {
      const double largest = choose(each.second);
      if (largest > 1) result.push_back({names(each.second.writers), names(each.second.readers), largest});
    }
    for (const Node& node : graph_.nodes)
      if (node.op == "Conv" && changeable(graph_, node)) scale(node);
    return result;
  }

 private:
  /// Values with channels in common, and the convolutions around them.
  struct Set {
    std::vector<int> values;
    std::vector<const Node*> writers, readers;
  };

  /// Of a group: how much of its tensors' ranges it uses, and how much of the weights that read it.
  struct Shares {
    double activations = LeastShare, weights = LeastShare;
  };
  using Factors = std::map<std::size_t, double>;  // of groups

  static std::vector<std::string> names(const std::vector<const Node*>& nodes) {
    std::vector<std::string> result;
    result.reserve(nodes.size());
    for (const Node* node : nodes) result.push_back(node->name);
    return result;
  }

  const std::vector<Activity>& activity(int value) const { return activity_[static_cast<std::size_t>(value)]; }

  void measure(std::span<const Sample> samples) {
    const cpu::FloatExecutor executor(graph_);
    for (const Sample& sample : samples) {
      const auto values = executor.run(sample);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t channels = groups_.channels(static_cast<int>(i));
        if (values[i].empty() || channels == 0) continue;
        activity_[i].resize(channels);
        const std::size_t map = values[i].size() / channels;
        const double share = 1.0 / static_cast<double>(map * samples.size());
        for (std::size_t c = 0; c < channels; ++c) {
          const auto part = std::span(values[i]).subspan(c * map, map);
          widen(activity_[i][c].range, part);
          for (const float x : part) activity_[i][c].square += share * static_cast<double>(x) * static_cast<double>(x);
        }
      }
    }
  }

  /// Of the groups that may be scaled.
  std::map<std::size_t, Shares> shares(const Set& set) const {
    std::map<std::size_t, Shares> result;
    for (const int value : set.values) {
      double largest = 0;
      for (const Activity& each : activity(value)) largest = std::max(largest, each.magnitude());
      for (std::size_t c = 0; c < groups_.channels(value); ++c) {
        if (groups_.fixed(value, c)) continue;
        double& share = result[groups_.of(value, c)].activations;
        if (largest > 0) share = std::max(share, activity(value)[c].magnitude() / largest);
      }
    }
    for (const Node* reader : set.readers) {
      const std::vector<double> largest = largest_weights(*reader);
      for_each_weight(graph_, *reader, [&](float weight, std::size_t output, std::size_t input) {
        const auto group = result.find(groups_.of(reader->inputs[0], input));
        if (group == result.end() || !(largest[output] > 0)) return;
        group->second.weights = std::max(group->second.weights, magnitude(weight) / largest[output]);
      });
    }
    return result;
  }

  /// Of every output channel, with the factors on its input channels.
  std::vector<double> largest_weights(const Node& node) const {
    std::vector<double> largest(groups_.channels(node.outputs[0]), 0.0);
    for_each_weight(graph_, node, [&](float weight, std::size_t output, std::size_t input) {
      largest[output] = std::max(largest[output], magnitude(weight) * factor(node.inputs[0], input));
    });
    return largest;
  }

  double factor(int value, std::size_t channel) const { return factors_[groups_.of(value, channel)]; }

  /// Sets the factors of the set; the largest, 1 if there is none.
  double choose(const Set& set) {
    const auto groups = shares(set);
    if (groups.empty() || set.writers.empty() || set.readers.empty()) return 1;
    double least = noise(set), largest = 1;
    Factors best;
    for (const double exponent : Exponents) {
      for (const auto& [group, share] : groups)
        factors_[group] = std::pow(share.activations, exponent) / std::pow(share.weights, 1 - exponent);
      const double value = noise(set);
      if (!(value < least)) continue;
      least = value;
      for (const auto& each : groups) best[each.first] = factors_[each.first];
    }
    for (const auto& each : groups) factors_[each.first] = best.empty() ? 1 : best[each.first];
    for (const auto& each : best) largest = std::max({largest, each.second, 1 / each.second});
    return largest;
  }

  /// Error over signal energy of what the set's readers compute, all of them added: from their weights, and from every
  /// rounding of the set's tensors as if all readers were behind it.
  double noise(const Set& set) const {
    double sum = 0;
    Factors gains;  // of an error in the group: its square adds that times it to the noise
    for (const Node* reader : set.readers) {
      double signal = 0;
      for (const Activity& each : activity(reader->outputs[0])) signal += each.square;
      if (!(signal > 0)) continue;
      const std::vector<double> largest = largest_weights(*reader);
      std::vector<double> read(largest.size(), 0.0);
      for_each_weight(graph_, *reader, [&](float weight, std::size_t output, std::size_t input) {
        if (!(magnitude(weight) > 0)) return;  // zeros are exact
        const double s = factor(reader->inputs[0], input);
        gains[groups_.of(reader->inputs[0], input)] += magnitude(weight) * magnitude(weight) / signal;
        read[output] += activity(reader->inputs[0])[input].square / (s * s);
      });
      for (std::size_t i = 0; i < largest.size(); ++i)
        sum += StepVariance * std::pow(largest[i] / WeightSteps, 2) * read[i] / signal;
    }
    for (const int value : set.values) sum += StepVariance * std::pow(step(value), 2) * gain(value, gains);
    return sum;
  }

  /// Of the tensor with the factors.
  double step(int value) const {
    double low = 0, high = 0;
    for (std::size_t c = 0; c < activity(value).size(); ++c) {
      low = std::min(low, activity(value)[c].range.low / factor(value, c));
      high = std::max(high, activity(value)[c].range.high / factor(value, c));
    }
    return (high - low) / ActivationSteps;
  }

  double gain(int value, const Factors& gains) const {
    double sum = 0;
    for (std::size_t c = 0; c < groups_.channels(value); ++c) {
      const auto found = gains.find(groups_.of(value, c));
      if (found != gains.end()) sum += factor(value, c) * factor(value, c) * found->second;
    }
    return sum;
  }

  void scale(const Node& node) {
    for_each_weight(graph_, node, [&](float& weight, std::size_t output, std::size_t input) {
      weight = static_cast<float>(weight * factor(node.inputs[0], input) / factor(node.outputs[0], output));
    });
    if (!node.has_input(2)) return;
    std::vector<float>& bias = values_of(graph_, node.inputs[2]);
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(bias[i] / factor(node.outputs[0], i));
  }

  Graph& graph_;
  ChannelGroups groups_;
  std::vector<std::vector<Activity>> activity_;  // of every value and channel
  std::vector<double> factors_;                  // of the groups
  std::map<int, Set> sets_;
};

}  // namespace

std::vector<Equalised> equalise(Graph& canonical, std::span<const Sample> samples) {
  return Equaliser(canonical, samples).run();
}

}  // namespace espalier::compress

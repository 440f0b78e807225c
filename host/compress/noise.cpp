#include "compress/noise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "compress/layer_alone.hpp"
#include "cpu/fast.hpp"

namespace espalier::compress {
namespace {

constexpr std::size_t MostNamed = 5;

using Values = std::vector<cpu::FloatTensor>;

/// One layer as a network of its own, with the values of the graph that its features are.
struct AloneLayer {
  model::Network network;
  std::vector<std::size_t> inputs;  // values of the graph
};

/// What is measured at one node.
struct Place {
  std::size_t value = 0;
  std::size_t feature = 0;
  std::optional<AloneLayer> alone;
};

const model::Layer* writer_of(const model::Network& network, int feature) {
  const auto found = std::find_if(network.layers.begin(), network.layers.end(),
                                  [&](const model::Layer& layer) { return layer.output == feature; });
  return found == network.layers.end() ? nullptr : &*found;
}

cpu::Tensor rounded(const cpu::FloatTensor& values, const model::Feature& feature) {
  cpu::Tensor result;
  result.reserve(values.size());
  for (const float value : values) {
    const double level = std::nearbyint(static_cast<double>(value) / feature.scale) + feature.zero;
    result.push_back(static_cast<std::int8_t>(std::clamp(level, -128.0, 127.0)));
  }
  return result;
}

void compare(Noise& noise, const cpu::FloatTensor& expected, const cpu::Tensor& actual, const model::Feature& feature) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    noise.add(static_cast<double>(expected[i]), feature.scale * (actual[i] - feature.zero));
}

class Measurement {
 public:
  explicit Measurement(const QuantisedGraph& graph)
      : graph_(graph), network_(graph.quantised.network), integers_(network_), dequantised_(graph.dequantised) {
    if (!graph.weights.empty()) reals_.emplace(graph.reals);
    for (const model::Node& node : graph.dequantised.nodes) add_place(node);
    for (const model::Port& port : graph.dequantised.outputs) {
      report_.outputs.push_back({port.name, "", {}, reals_ ? std::optional<Noise>{Noise{}} : std::nullopt, {}, {}});
    }
    // References to networks: after the last place was added.
    for (const Place& place : places_)
      alone_.push_back(place.alone ? std::make_unique<cpu::FastExecutor>(place.alone->network) : nullptr);
  }

  NoiseReport run(std::span<const Sample> samples) {
    for (const Sample& sample : samples) measure(sample);
    report_.samples = samples.size();
    name_worst();
    return std::move(report_);
  }

 private:
  void add_place(const model::Node& node) {
    const auto value = static_cast<std::size_t>(node.outputs[0]);
    const int feature = graph_.feature_of[value];
    const model::Layer* layer = feature < 0 ? nullptr : writer_of(network_, feature);
    if (layer == nullptr) return;
    Place place{value, static_cast<std::size_t>(feature), alone_layer(node, *layer)};
    LayerNoise noise{layer->name, layer->op, {}, {}, {}, {}};
    if (reals_) noise.reals.emplace();
    if (place.alone) noise.own.emplace();
    for (const WeightChoice& choice : graph_.weights)
      if (&graph_.dequantised.nodes[choice.node] == &node) noise.weights = choice.type;
    places_.push_back(std::move(place));
    report_.layers.push_back(std::move(noise));
  }

  /// Nothing if lowering made several layers of the node.
  std::optional<AloneLayer> alone_layer(const model::Node& node, const model::Layer& layer) const {
    AloneLayer alone;
    std::vector<int> inputs;
    for (const int input : node.inputs) {
      if (input < 0 || graph_.dequantised.is_constant(input)) continue;
      alone.inputs.push_back(static_cast<std::size_t>(input));
      inputs.push_back(graph_.feature_of[alone.inputs.back()]);
    }
    if (inputs != layer.inputs) return std::nullopt;
    alone.network = layer_alone(network_, layer);
    return alone;
  }

  void measure(const Sample& sample) {
    std::vector<cpu::Tensor> inputs;
    for (std::size_t i = 0; i < sample.size(); ++i) inputs.push_back(to_int8(graph_.quantised.inputs.at(i), sample[i]));
    const std::vector<cpu::Tensor> features = integers_.run(inputs);
    const Values dequantised = dequantised_.run(real_inputs(inputs));
    const Values reals = reals_ ? reals_->run(sample) : Values{};
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Place& place = places_[i];
      LayerNoise& noise = report_.layers[i];
      const model::Feature& feature = network_.features[place.feature];
      compare(noise.dequantised, dequantised[place.value], features[place.feature], feature);
      if (noise.reals) compare(*noise.reals, reals[place.value], features[place.feature], feature);
      if (!noise.own) continue;
      std::vector<cpu::Tensor> exact;
      for (std::size_t k = 0; k < place.alone->inputs.size(); ++k)
        exact.push_back(rounded(dequantised[place.alone->inputs[k]], place.alone->network.features[k]));
      compare(*noise.own, dequantised[place.value], alone_[i]->run(exact).back(), feature);
    }
    for (std::size_t i = 0; i < report_.outputs.size(); ++i) {
      const auto feature = static_cast<std::size_t>(network_.outputs[i]);
      const auto value = static_cast<std::size_t>(graph_.dequantised.outputs[i].value);
      LayerNoise& noise = report_.outputs[i];
      compare(noise.dequantised, dequantised[value], features[feature], network_.features[feature]);
      if (noise.reals) compare(*noise.reals, reals[value], features[feature], network_.features[feature]);
    }
  }

  /// What the integers of the inputs stand for: what the input's own rounding loses is noise only against `reals`.
  Sample real_inputs(const std::vector<cpu::Tensor>& inputs) const {
    Sample result;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const model::Feature& feature = network_.features[static_cast<std::size_t>(network_.inputs[i])];
      cpu::FloatTensor values;
      for (const std::int8_t value : inputs[i])
        values.push_back(static_cast<float>(feature.scale * (value - feature.zero)));
      result.push_back(std::move(values));
    }
    return result;
  }

  void name_worst() {
    const auto level = [&](std::size_t i) {
      const LayerNoise& noise = report_.layers[i];
      return noise.own.value_or(noise.dequantised).decibels().value_or(std::numeric_limits<double>::infinity());
    };
    for (std::size_t i = 0; i < report_.layers.size(); ++i)
      if (level(i) < std::numeric_limits<double>::infinity()) report_.worst.push_back(i);
    std::stable_sort(report_.worst.begin(), report_.worst.end(),
                     [&](std::size_t a, std::size_t b) { return level(a) < level(b); });
    report_.worst.resize(std::min(report_.worst.size(), MostNamed));
  }

  const QuantisedGraph& graph_;
  const model::Network& network_;
  cpu::FastExecutor integers_;
  cpu::FloatExecutor dequantised_;
  std::optional<cpu::FloatExecutor> reals_;
  std::vector<Place> places_;                              // as report_.layers
  std::vector<std::unique_ptr<cpu::FastExecutor>> alone_;  // the same; null where none
  NoiseReport report_;
};

}  // namespace

void Noise::add(double expected, double actual) {
  signal += expected * expected;
  error += (expected - actual) * (expected - actual);
}

std::optional<double> Noise::decibels() const {
  if (!(error > 0)) return std::nullopt;
  return 10 * std::log10(signal / error);
}

NoiseReport measure_noise(const QuantisedGraph& graph, std::span<const Sample> samples) {
  return Measurement(graph).run(samples);
}

}  // namespace espalier::compress

#include "tflite_compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "compress/layer_alone.hpp"
#include "cpu/fast.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t ReferenceSamples = 2;  // of the naive reference, the slowest of our executors

std::size_t top(const cpu::Tensor& values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// The oracle's tensors of a layer's inputs; fewer if some have none.
std::vector<std::size_t> inputs_of(const model::Layer& layer, const Match& matched) {
  std::vector<std::size_t> inputs;
  for (const int input : layer.inputs)
    if (const auto& tensor = matched[static_cast<std::size_t>(input)]) inputs.push_back(*tensor);
  return inputs;
}

}  // namespace

void Differences::add(const cpu::Tensor& ours, const cpu::Tensor& theirs) {
  for (std::size_t i = 0; i < ours.size(); ++i) ++count_[ours[i] - theirs[i]];
}

int Differences::largest() const {
  int most = 0;
  for (const auto& [difference, count] : count_) most = std::max(most, std::abs(difference));
  return most;
}

std::string Differences::text() const {
  std::string text;
  for (const auto& [difference, count] : count_) text += fmt::format("  {:+}: {}", difference, count);
  return text;
}

std::vector<std::optional<std::size_t>> match(const compress::Quantised& quantised, const OracleFile& oracle) {
  std::vector<std::optional<std::size_t>> result(quantised.network.features.size());
  for (std::size_t i = 0; i < quantised.inputs.size(); ++i)
    result[static_cast<std::size_t>(quantised.network.inputs[i])] = oracle.find(quantised.inputs[i].name);
  for (const model::Layer& layer : quantised.network.layers)
    result[static_cast<std::size_t>(layer.output)] = oracle.find(layer.name);
  return result;
}

LayerComparison compare_layers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched) {
  LayerComparison result;
  for (const model::Layer& layer : quantised.network.layers) {
    const std::vector<std::size_t> inputs = inputs_of(layer, matched);
    const auto& output = matched[static_cast<std::size_t>(layer.output)];
    if (inputs.size() != layer.inputs.size() || !output) {
      result.wrong += " " + layer.name + " (no tensor of this name)";
      continue;
    }
    const model::Network alone = compress::layer_alone(quantised.network, layer);
    const cpu::FastExecutor executor(alone);
    Differences here;
    for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
      std::vector<cpu::Tensor> given;
      for (const std::size_t tensor : inputs) given.push_back(oracle.channels_first(sample, tensor));
      const cpu::Tensor ours = executor.run(given).back();
      const cpu::Tensor theirs = oracle.channels_first(sample, *output);
      here.add(ours, theirs);
      result.all.add(ours, theirs);
    }
    if (here.largest() > 1) result.wrong += " " + layer.name + here.text();
    ++result.compared;
  }
  return result;
}

AnswerComparison compare_answers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched) {
  const cpu::FastExecutor executor(quantised.network);
  const auto input = matched[static_cast<std::size_t>(quantised.network.inputs[0])].value();
  const auto feature = static_cast<std::size_t>(quantised.network.outputs[0]);
  const std::size_t output = matched[feature].value();
  AnswerComparison result;
  for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
    const std::vector<cpu::Tensor> given{oracle.channels_first(sample, input)};
    const std::vector<cpu::Tensor> features = executor.run(given);
    if (sample < ReferenceSamples)
      result.reference = result.reference && features == cpu::run(quantised.network, given);
    const cpu::Tensor& ours = features[feature];
    const cpu::Tensor theirs = oracle.channels_first(sample, output);
    result.all.add(ours, theirs);
    if (top(ours) == top(theirs)) {
      ++result.same;
    } else if (theirs[top(theirs)] - theirs[top(ours)] <= 1) {
      ++result.ties;
    }
  }
  return result;
}

}  // namespace espalier::test

#include "compress/weight_choice.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/weights.hpp"
#include "esp_error.hpp"
#include "model/rewrites.hpp"

namespace espalier::compress {
namespace {

constexpr std::size_t MostKept = 4096;         // partial sums of least_cost
constexpr std::size_t SensitivitySamples = 8;  // of those given, evenly spaced

using model::Graph;
using model::Node;

bool has_float_weights(const Graph& graph, const Node& node) {
  return node.op == "Conv" && graph.is_constant(node.inputs[1]) && !graph.value(node.inputs[1]).quantisation;
}

BiasLimit bias_limit(const Graph& graph, const Node& node) {
  BiasLimit limit;
  limit.bias.assign(static_cast<std::size_t>(graph.value(node.inputs[1]).constant->shape.at(0)), 0.0);
  if (node.has_input(2)) {
    const auto bias = model::real_constant(graph.value(node.inputs[2])).as_floats();
    limit.bias.assign(bias.begin(), bias.end());
  }
  limit.scale_in = static_cast<double>(graph.value(node.inputs[0]).quantisation.value().scale.at(0));
  return limit;
}

/// A copy of the sample list with at most SensitivitySamples entries.
std::vector<Sample> some_of(std::span<const Sample> samples) {
  std::vector<Sample> result;
  const std::size_t count = std::min(samples.size(), SensitivitySamples);
  for (std::size_t i = 0; i < count; ++i) result.push_back(samples[i * samples.size() / count]);
  return result;
}

/// `reals` with a convolution more for each one whose weights were rounded: of its input with the error of the weights.
/// The result of the one added for errors[i] is values[i].
struct ErrorGraph {
  Graph graph;
  std::vector<int> values;
};

ErrorGraph error_graph(const Graph& reals, const Graph& rounded, std::span<const WeightError> errors) {
  ErrorGraph result{reals, {}};
  Graph& graph = result.graph;
  for (const WeightError& each : errors) {
    Node node = reals.nodes[each.node];
    const model::Array exact = model::real_constant(reals.value(node.inputs[1]));
    const model::Array near = model::real_constant(rounded.value(rounded.nodes[each.node].inputs[1]));
    std::vector<float> difference = exact.as_floats();
    const std::vector<float> values = near.as_floats();
    for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = values[i] - difference[i];
    node.inputs = {node.inputs[0], graph.add_constant(node.name + ".error", {exact.shape, std::move(difference)})};
    const model::Value& out = reals.value(node.outputs[0]);
    node.outputs = {graph.add_value(out.name + ".error", out.type, out.shape)};
    node.attributes.erase("clamp_low");
    node.attributes.erase("clamp_high");
    result.values.push_back(node.outputs[0]);
    graph.nodes.push_back(std::move(node));
  }
  return result;
}

double energy(const cpu::FloatTensor& values) {
  return std::accumulate(values.begin(), values.end(), 0.0,
                         [](double sum, float value) { return sum + static_cast<double>(value) * value; });
}

void count(WeightError& error, const cpu::FloatTensor& result, const cpu::FloatTensor& difference, double share) {
  error.signal += energy(result);
  error.error += energy(difference);
  const std::size_t map = error.mean.empty() ? 1 : difference.size() / error.mean.size();
  for (std::size_t i = 0; i < difference.size(); ++i)
    error.mean[i / map] += share * static_cast<double>(difference[i]) / static_cast<double>(map);
}

std::int64_t total_nonzero(std::span<const WeightChoice> choices) {
  return std::accumulate(choices.begin(), choices.end(), std::int64_t{0},
                         [](std::int64_t sum, const WeightChoice& each) { return sum + each.nonzero; });
}

std::uint64_t limit_in_bytes(const WeightBudget& budget, std::span<const WeightChoice> choices) {
  if (budget.bytes && budget.bits)
    throw Error(ErrorCode::Usage, "two budgets for the weights", "quantisation", {}, "give bytes or bits, not both");
  if (budget.bytes) return *budget.bytes;
  if (!(*budget.bits > 0))
    throw Error(ErrorCode::Usage, "the budget of bits is not positive", "quantisation", std::to_string(*budget.bits),
                "give the mean number of bits of a weight, 1 to 8");
  // The bytes of every convolution are rounded up: one each keeps a whole number of bits possible.
  return static_cast<std::uint64_t>(static_cast<double>(total_nonzero(choices)) * *budget.bits / 8) + choices.size();
}

/// Partial sums over the first layers: those that are neither larger nor worse than another one, by rising bytes.
struct Partial {
  std::uint64_t bytes = 0;
  double cost = 0;
  std::size_t before = 0;  // index in the previous layer's list
  std::size_t taken = 0;   // alternative
};

std::vector<Partial> undominated(std::vector<Partial> all) {
  std::sort(all.begin(), all.end(), [](const Partial& a, const Partial& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.cost < b.cost;
  });
  std::vector<Partial> kept;
  for (const Partial& each : all)
    if (kept.empty() || each.cost < kept.back().cost) kept.push_back(each);
  if (kept.size() <= MostKept) return kept;
  std::vector<Partial> thinned;
  for (std::size_t i = 0; i < MostKept; ++i) thinned.push_back(kept[i * (kept.size() - 1) / (MostKept - 1)]);
  return thinned;
}

}  // namespace

std::uint64_t WeightChoice::bytes() const {
  return (static_cast<std::uint64_t>(nonzero) * static_cast<std::uint64_t>(bits(type)) + 7) / 8;
}

std::vector<WeightChoice> int8_weights(const Graph& canonical) {
  std::vector<WeightChoice> result;
  for (std::size_t i = 0; i < canonical.nodes.size(); ++i) {
    const Node& node = canonical.nodes[i];
    if (!has_float_weights(canonical, node)) continue;
    const std::vector<float> weights = canonical.value(node.inputs[1]).constant->as_floats();
    const auto nonzero = std::count_if(weights.begin(), weights.end(), [](float w) { return std::abs(w) > 0; });
    result.push_back({i, node.name, WeightType::Int8, nonzero, {}});
  }
  return result;
}

void set_weights(Graph& canonical, std::span<const WeightChoice> choices) {
  for (const WeightChoice& choice : choices) {
    const Node& node = canonical.nodes[choice.node];
    const model::Array& exact = *canonical.value(node.inputs[1]).constant;
    const BiasLimit limit = bias_limit(canonical, node);
    check_finite(exact.as_floats(), node.where());
    check_finite(std::vector<float>(limit.bias.begin(), limit.bias.end()), node.where());
    RoundedWeights rounded = round_weights(exact, choice.type, limit);
    // A constant of its own: another convolution may read the same weights behind another scale.
    const int value =
        canonical.add_constant(canonical.value(node.inputs[1]).name, {exact.shape, std::move(rounded.weights)});
    canonical.value(value).quantisation = {{std::move(rounded.scale)}, 0, 0};
    canonical.nodes[choice.node].inputs[1] = value;
  }
}

std::vector<WeightError> weight_errors(const Graph& reals, const Graph& rounded, std::span<const Sample> samples) {
  std::vector<WeightError> errors;
  for (std::size_t i = 0; i < reals.nodes.size(); ++i) {
    const Node& node = reals.nodes[i];
    if (node.op != "Conv" || node.inputs[1] == rounded.nodes[i].inputs[1]) continue;
    WeightError error;
    error.node = i;
    error.mean.assign(static_cast<std::size_t>(reals.value(node.inputs[1]).constant->shape.at(0)), 0.0);
    errors.push_back(std::move(error));
  }
  const ErrorGraph differences = error_graph(reals, rounded, errors);
  const cpu::FloatExecutor executor(differences.graph);
  for (const Sample& sample : samples) {
    const auto values = executor.run(sample);
    for (std::size_t i = 0; i < errors.size(); ++i)
      count(errors[i], values[static_cast<std::size_t>(reals.nodes[errors[i].node].outputs[0])],
            values[static_cast<std::size_t>(differences.values[i])], 1.0 / static_cast<double>(samples.size()));
  }
  return errors;
}

std::optional<std::vector<std::size_t>> least_cost(const std::vector<std::vector<Alternative>>& layers,
                                                   std::uint64_t limit) {
  std::vector<std::vector<Partial>> lists{{Partial{}}};
  for (const auto& alternatives : layers) {
    std::vector<Partial> next;
    for (std::size_t before = 0; before < lists.back().size(); ++before)
      for (std::size_t taken = 0; taken < alternatives.size(); ++taken) {
        const Partial& partial = lists.back()[before];
        const std::uint64_t bytes = partial.bytes + alternatives[taken].bytes;
        if (bytes <= limit) next.push_back({bytes, partial.cost + alternatives[taken].cost, before, taken});
      }
    if (next.empty()) return std::nullopt;
    lists.push_back(undominated(std::move(next)));
  }
  std::vector<std::size_t> result(layers.size());
  std::size_t at = lists.back().size() - 1;  // costs fall as bytes rise
  for (std::size_t layer = layers.size(); layer > 0; --layer) {
    const Partial& partial = lists[layer][at];
    result[layer - 1] = partial.taken;
    at = partial.before;
  }
  return result;
}

std::vector<WeightChoice> choose_weight_types(const Graph& canonical, std::span<const Sample> samples,
                                              const WeightBudget& budget) {
  if (budget.types.empty())
    throw Error(ErrorCode::Usage, "no types of weights to choose from", "quantisation", {}, "name at least one");
  std::vector<WeightChoice> choices = int8_weights(canonical);
  for (WeightChoice& choice : choices) choice.type = budget.types.front();
  if (!budget.limited()) return choices;
  const std::uint64_t limit = limit_in_bytes(budget, choices);
  const std::vector<Sample> chosen = some_of(samples);
  std::vector<std::vector<Alternative>> layers(choices.size());
  std::uint64_t least = 0;
  for (const WeightType type : budget.types) {
    for (WeightChoice& choice : choices) choice.type = type;
    Graph rounded = canonical;
    set_weights(rounded, choices);
    const std::vector<WeightError> errors = weight_errors(canonical, rounded, chosen);
    for (std::size_t i = 0; i < choices.size(); ++i) layers[i].push_back({choices[i].bytes(), errors[i].noise()});
  }
  for (const auto& alternatives : layers)
    least += std::min_element(alternatives.begin(), alternatives.end(), [](const auto& a, const auto& b) {
               return a.bytes < b.bytes;
             })->bytes;
  const auto taken = least_cost(layers, limit);
  if (!taken)
    throw Error(ErrorCode::Usage, "the budget of the weights is too small", "network '" + canonical.name + "'",
                std::to_string(limit) + " bytes", "give at least " + std::to_string(least) + " bytes");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    choices[i].type = budget.types[(*taken)[i]];
    choices[i].noise = layers[i][(*taken)[i]].cost;
  }
  return choices;
}

void correct_bias(Graph& rounded, std::span<const WeightError> errors) {
  for (const WeightError& error : errors) {
    Node& node = rounded.nodes[error.node];
    std::vector<float> bias(error.mean.size(), 0.0F);
    if (node.has_input(2)) bias = model::real_constant(rounded.value(node.inputs[2])).as_floats();
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(bias[c] - error.mean[c]);
    const model::Shape shape{static_cast<std::int64_t>(bias.size())};
    const int value = rounded.add_constant(node.name + ".bias", {shape, std::move(bias)});
    node.inputs.resize(3, -1);
    node.inputs[2] = value;
  }
}

}  // namespace espalier::compress

#include "compress/prune.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "esp_error.hpp"

namespace espalier::compress {
namespace {

using Weights = std::vector<float>*;

struct Target {
  std::string node;
  Weights weights;
  std::size_t row;  // weights of one output channel; 0 where they are not contiguous
};

std::vector<Target> find_targets(model::Graph& graph) {
  std::vector<Target> targets;
  for (const model::Node& node : graph.nodes) {
    if (node.op != "Conv" && node.op != "Gemm" && node.op != "MatMul") continue;
    if (node.integer("affine", 0) != 0 || !graph.is_constant(node.inputs[1])) continue;
    model::Array& array = *graph.value(node.inputs[1]).constant;
    auto* weights = std::get_if<std::vector<float>>(&array.values);
    if (weights == nullptr || weights->empty()) continue;
    const bool shared =
        std::any_of(targets.begin(), targets.end(), [&](const Target& t) { return t.weights == weights; });
    const bool rows_are_outputs = node.op == "Conv" || node.integer("transB", 0) != 0;
    const std::size_t rows = static_cast<std::size_t>(array.shape[0]);
    if (!shared) targets.push_back({node.name, weights, rows_are_outputs ? weights->size() / rows : 0});
  }
  return targets;
}

/// Zeroes all but the `keep` largest of the given places.
void keep_largest(std::vector<float*>& places, std::size_t keep) {
  if (keep >= places.size()) return;
  std::stable_sort(places.begin(), places.end(),
                   [](const float* a, const float* b) { return std::abs(*a) > std::abs(*b); });
  for (std::size_t i = keep; i < places.size(); ++i) *places[i] = 0;
}

std::size_t share(double density, std::size_t count) {
  return static_cast<std::size_t>(std::llround(density * static_cast<double>(count)));
}

std::vector<Pruned> report(const std::vector<Target>& targets) {
  std::vector<Pruned> result;
  for (const Target& target : targets) {
    const auto nonzero =
        std::count_if(target.weights->begin(), target.weights->end(), [](float w) { return std::abs(w) > 0; });
    result.push_back({target.node, static_cast<std::int64_t>(target.weights->size()), nonzero});
  }
  return result;
}

}  // namespace

std::vector<Pruned> prune(model::Graph& graph, const PruneOptions& options) {
  if (!(options.density >= 0 && options.density <= 1))
    throw Error(ErrorCode::Usage, "the density is out of range", "pruning", std::to_string(options.density),
                "give a number from 0 to 1");
  const std::vector<Target> targets = find_targets(graph);
  std::vector<float*> all;
  for (const Target& target : targets) {
    std::vector<float*> places;
    for (float& weight : *target.weights) places.push_back(&weight);
    if (options.scope == PruneScope::Layer)
      keep_largest(places, share(options.density, places.size()));
    else
      all.insert(all.end(), places.begin(), places.end());
  }
  keep_largest(all, share(options.density, all.size()));
  return report(targets);
}

std::vector<Pruned> prune_n_of_m(model::Graph& graph, int n, int m) {
  if (m < 1 || n < 0 || n > m)
    throw Error(ErrorCode::Usage, "the pattern is not n of m", "pruning", std::to_string(n) + ":" + std::to_string(m),
                "give for example 2:4");
  const std::vector<Target> targets = find_targets(graph);
  for (const Target& target : targets) {
    // A MatMul stores an output channel as a column.
    const auto& weights = *target.weights;
    const std::size_t row = target.row;
    if (row == 0)
      throw Error(ErrorCode::Unsupported, "n of m pruning needs weights by output channel",
                  "node '" + target.node + "'", {}, "rewrite the graph to maps first");
    for (std::size_t start = 0; start < weights.size(); start += row)
      for (std::size_t i = start; i < start + row; i += static_cast<std::size_t>(m)) {
        std::vector<float*> places;
        for (std::size_t k = i; k < std::min(i + static_cast<std::size_t>(m), start + row); ++k)
          places.push_back(&(*target.weights)[k]);
        keep_largest(places, static_cast<std::size_t>(n));
      }
  }
  return report(targets);
}

}  // namespace espalier::compress

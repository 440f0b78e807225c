// Magnitude pruning: the smallest weights become zero (Han et al. 2015; N:M after Zhou et al. 2021).
//
//   auto report = compress::prune(graph, {.density = 0.1, .scope = compress::PruneScope::Global});
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/graph.hpp"

namespace espalier::compress {

enum class PruneScope {
  Layer,   // every layer keeps the same share of its weights
  Global,  // one threshold for all layers
};

struct PruneOptions {
  double density = 1.0;  // share of the weights that stay, 0 to 1
  PruneScope scope = PruneScope::Layer;
};

/// What is left of one layer.
struct Pruned {
  std::string node;
  std::int64_t weights = 0;
  std::int64_t nonzero = 0;
};

/// Zeroes float weights of Conv, Gemm and MatMul so that at most round(density * count) are not zero; of equal
/// magnitudes the first ones stay. Throws Error(Usage) for a density out of range.
std::vector<Pruned> prune(model::Graph& graph, const PruneOptions& options);

/// Keeps the n largest of every m consecutive weights of a row (one output channel); a shorter rest keeps at most n.
/// Throws Error(Usage) unless 0 <= n <= m and m >= 1.
std::vector<Pruned> prune_n_of_m(model::Graph& graph, int n, int m);

}  // namespace espalier::compress

// Gradual magnitude pruning (Zhu & Gupta 2017, "To prune, or not to prune"): the share of zeros rises along a cubic
// curve while training continues, and at each update the weights of smallest score in all layers together become zero.
// The score is LAMP (Lee et al. 2021, "Layer-adaptive sparsity for the magnitude-based pruning"): a weight's square
// over the sum of the squares in its layer that are not smaller. It needs no density chosen per layer.
//
//   MagnitudePruner pruner(layer_weights(network), {"stem"});
//   pruner.prune_to(0.5);      // half of all weights, the stem's counted but kept
//   optimizer.step();
//   pruner.apply();            // what is zero stays zero
#pragma once

#include <set>
#include <string>
#include <vector>

#include "network.hpp"

namespace espalier::trainer {

// Share of zeros at `progress` in [0, 1] of the ramp: target * (1 - (1 - progress)^3).
double cubic_sparsity(double target, double progress);

class MagnitudePruner {
 public:
  // `kept` names layers that are never pruned; they still count in the total. The weights are changed in place.
  MagnitudePruner(std::vector<NamedWeight> weights, const std::set<std::string>& kept);

  // Makes at least `sparsity` of all weights zero.
  void prune_to(double sparsity);

  // Sets pruned weights back to zero; to be called after each optimizer step.
  void apply();

 private:
  struct Layer {
    NamedWeight layer;
    torch::Tensor mask;  // 1 = kept
    bool prunable;
  };
  std::vector<Layer> layers_;
  std::int64_t total_ = 0;
};

// Non-zeros of a list of weights.
struct LayerDensity {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t weights;
  std::int64_t nonzeros;
};
std::vector<LayerDensity> densities(const std::vector<NamedWeight>& weights);
double sparsity(const std::vector<LayerDensity>& layers);

}  // namespace espalier::trainer

#include "pruning.hpp"

#include <algorithm>
#include <cmath>

#include "error.hpp"

namespace espalier::trainer {

double cubic_sparsity(double target, double progress) {
  const double left = 1.0 - std::clamp(progress, 0.0, 1.0);
  return target * (1.0 - left * left * left);
}

MagnitudePruner::MagnitudePruner(std::vector<NamedWeight> weights, const std::set<std::string>& kept) {
  const torch::NoGradGuard no_gradient;
  for (NamedWeight& named : weights) {
    const double scale = named.weight.square().mean().sqrt().item<double>();
    total_ += named.weight.numel();
    layers_.push_back({named, torch::ones_like(named.weight), scale, !kept.contains(named.name)});
  }
}

void MagnitudePruner::prune_to(double sparsity) {
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> scores;
  for (const Layer& layer : layers_)
    if (layer.prunable) scores.push_back((layer.layer.weight * layer.mask).abs().div(layer.scale).flatten());
  const torch::Tensor score = torch::cat(scores);
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(total_)));
  if (zeros > score.numel())
    throw Error("sparsity " + std::to_string(sparsity) + " asks for " + std::to_string(zeros) + " zeros, but only " +
                std::to_string(score.numel()) + " weights may be pruned");
  if (zeros == 0) return;

  const torch::Tensor threshold = std::get<0>(score.kthvalue(zeros));
  for (Layer& layer : layers_) {
    if (!layer.prunable) continue;
    layer.mask = (layer.layer.weight * layer.mask).abs().div(layer.scale).gt(threshold).to(torch::kFloat32);
  }
  apply();
}

void MagnitudePruner::apply() {
  const torch::NoGradGuard no_gradient;
  for (Layer& layer : layers_)
    if (layer.prunable) layer.layer.weight.mul_(layer.mask);
}

std::vector<LayerDensity> densities(const std::vector<NamedWeight>& weights) {
  std::vector<LayerDensity> layers;
  for (const NamedWeight& named : weights)
    layers.push_back({named.name, named.weight.sizes().vec(), named.weight.numel(),
                      torch::count_nonzero(named.weight.detach()).item<std::int64_t>()});
  return layers;
}

double sparsity(const std::vector<LayerDensity>& layers) {
  std::int64_t weights = 0;
  std::int64_t nonzeros = 0;
  for (const LayerDensity& layer : layers) {
    weights += layer.weights;
    nonzeros += layer.nonzeros;
  }
  return 1.0 - static_cast<double>(nonzeros) / static_cast<double>(weights);
}

}  // namespace espalier::trainer

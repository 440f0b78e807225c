#include "pruning.hpp"

#include <algorithm>
#include <cmath>

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

// Per weight w of a layer, in row-major order: w^2 / sum of v^2 over the weights v of the layer with |v| >= |w|.
torch::Tensor lamp_score(const torch::Tensor& weight) {
  const torch::Tensor squares = weight.flatten().to(torch::kFloat64).square();
  const auto [ascending, order] = squares.sort();
  const torch::Tensor not_smaller = ascending.flip(0).cumsum(0).flip(0);
  return torch::empty_like(squares).scatter_(0, order, ascending / not_smaller.clamp_min(1e-30));
}

}  // namespace

double cubic_sparsity(double target, double progress) {
  const double left = 1.0 - std::clamp(progress, 0.0, 1.0);
  return target * (1.0 - left * left * left);
}

MagnitudePruner::MagnitudePruner(std::vector<NamedWeight> weights, const std::set<std::string>& kept) {
  for (NamedWeight& named : weights) {
    total_ += named.weight.numel();
    layers_.push_back({named, torch::ones_like(named.weight), !kept.contains(named.name)});
  }
}

void MagnitudePruner::prune_to(double sparsity) {
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> scores;
  for (const Layer& layer : layers_)
    if (layer.prunable) scores.push_back(lamp_score(layer.layer.weight * layer.mask));
  const torch::Tensor score = torch::cat(scores);
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(total_)));
  if (zeros > score.numel())
    throw Error(ErrorCode::Usage, "more zeros asked for than weights may be pruned", "sparsity",
                std::to_string(sparsity));
  if (zeros == 0) return;

  const torch::Tensor threshold = std::get<0>(score.kthvalue(zeros));
  std::size_t next = 0;
  for (Layer& layer : layers_) {
    if (!layer.prunable) continue;
    layer.mask = scores[next++].gt(threshold).to(torch::kFloat32).view_as(layer.mask);
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

#include "plan/search/case_costs.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

const Primitive Unsupported = impossible();

}  // namespace

VariantCosts variant_costs(const Problem& problem, int variant, const std::vector<TilingShape>& shapes) {
  VariantCosts costs;
  const int devices = static_cast<int>(problem.devices.size());
  const int layers = static_cast<int>(problem.layers.size());
  for (int layer = 0; layer < layers; ++layer)
    for (int device = 0; device < devices; ++device)
      costs.layers.push_back(layer_cost(problem, variant, layer, device));
  for (const Group& group : problem.groups) {
    const bool ours = group.variant == variant;
    costs.groups.push_back(ours ? loaded(problem, group.cost, group.device) : impossible());
    if (ours && group.first == group.last) costs.layers[at(group.first * devices + group.device)] = costs.groups.back();
  }
  for (const TilingShape& shape : shapes)
    for (int device = 0; device < devices; ++device)
      costs.tilings.push_back(tiling_cost(problem, variant, shape, device));
  for (int from = 0; from < devices; ++from)
    for (int to = 0; to < devices; ++to) costs.transfer_link.push_back(find_link(problem, from, to).value_or(-1));
  return costs;
}

void add_transfers(const Problem& problem, int variant, VariantCosts& costs) {
  costs.transfers.clear();
  const int layers = static_cast<int>(problem.layers.size());
  for (int tensor = NetworkInput; tensor < layers; ++tensor) {
    const Bytes bytes = tensor_bytes(problem, variant, tensor);
    for (const int link : costs.transfer_link)
      costs.transfers.push_back(link < 0 ? impossible() : over_link(problem.links[at(link)], bytes));
  }
}

const Primitive& choice_cost(const Problem& problem, const VariantCosts& costs, int variant, const Choice& choice) {
  if (choice.variant != Choice::None && choice.variant != variant) return Unsupported;
  const std::size_t devices = problem.devices.size();
  if (choice.tiling != Choice::None) return costs.tilings[at(choice.tiling) * devices + at(choice.device)].cost;
  if (choice.group != Choice::None) return costs.groups[at(choice.group)];
  return costs.layers[at(choice.first) * devices + at(choice.device)];
}

}  // namespace espalier::plan

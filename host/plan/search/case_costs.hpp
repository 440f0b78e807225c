// What every choice and transfer of a state graph costs in one variant, under the links and loads of the moment.
#pragma once

#include <vector>

#include "plan/cost/tiles.hpp"
#include "plan/cost/transfer.hpp"
#include "plan/search/state_graph.hpp"

namespace espalier::plan {

/// Per-variant tables that do not depend on the policy: layers, groups, tilings, transfers.
struct VariantCosts {
  std::vector<Primitive> layers;     // layer * devices + device
  std::vector<Primitive> groups;     // per group; impossible for those of other variants
  std::vector<TilingCost> tilings;   // tiling * devices + device
  std::vector<Primitive> transfers;  // ((tensor + 1) * devices + from) * devices + to
  std::vector<int> transfer_link;    // from * devices + to: index of the link or -1
};

/// All but the transfers.
VariantCosts variant_costs(const Problem& problem, int variant, const std::vector<TilingShape>& shapes);

/// The transfers, which a search needs and a quick bound does not.
void add_transfers(const Problem& problem, int variant, VariantCosts& costs);

/// The cost of a choice without its transfers.
const Primitive& choice_cost(const Problem& problem, const VariantCosts& costs, int variant, const Choice& choice);

}  // namespace espalier::plan

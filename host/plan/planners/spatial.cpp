#include "plan/planners/spatial.hpp"

#include <algorithm>
#include <cstddef>

#include "plan/cost/evaluate.hpp"
#include "plan/planners/actions.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

std::vector<int> workers(const Problem& problem) {
  std::vector<int> result{problem.home};
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device)
    if (device != problem.home && find_link(problem, problem.home, device) && find_link(problem, device, problem.home))
      result.push_back(device);
  return result;
}

std::vector<std::int64_t> speeds(const Problem& problem, int variant, int first, int last,
                                 const std::vector<int>& devices) {
  constexpr std::int64_t Scale = 1'000'000'000'000;
  std::vector<std::int64_t> result;
  for (const int device : devices) {
    Nanoseconds time = 0;
    for (int layer = first; layer <= last; ++layer) time = add(time, layer_cost(problem, variant, layer, device).mean);
    result.push_back(time >= Impossible ? 0 : Scale / std::max<Nanoseconds>(time, 1));
  }
  return result;
}

std::int64_t piece_cost(const Problem& problem, int policy, int variant, const Piece& piece) {
  const std::vector<BasisPoints> shares = reach(problem, problem.policies[at(policy)]);
  if (!piece.tiles.empty()) {
    for (int layer = piece.first; layer <= piece.last; ++layer)
      if (shares[at(layer)] != shares[at(piece.first)] || shares[at(layer)] == 0) return Impossible;
    const TilingCost cost = tiling_cost(
        problem, variant, tiling_shape(problem, variant, piece.first, piece.last, piece.tiles), problem.home);
    return times(cost.cost.mean, shares[at(piece.first)]);
  }
  std::int64_t sum = 0;
  for (int layer = piece.first; layer <= piece.last; ++layer)
    if (shares[at(layer)] > 0)
      sum = add(sum, times(layer_cost(problem, variant, layer, problem.home).mean, shares[at(layer)]));
  return sum;
}

std::vector<Piece> best_pieces(const Problem& problem, int policy, int variant, const Candidates& candidates) {
  const std::vector<int> layers = needed_layers(problem, policy);
  std::vector<int> cuts = cut_positions(problem, policy);
  cuts.insert(cuts.begin(), 0);
  struct Best {
    std::int64_t value = Impossible;
    Piece piece;
    std::size_t next = 0;
  };
  std::vector<Best> best(cuts.size());
  best.back().value = 0;
  for (std::size_t begin = cuts.size() - 1; begin-- > 0;) {
    for (std::size_t end = begin + 1; end < cuts.size(); ++end) {
      if (best[end].value >= Impossible) continue;
      for (const Piece& piece : candidates(layers[at(cuts[begin])], layers[at(cuts[end] - 1)])) {
        const std::int64_t sum = add(piece_cost(problem, policy, variant, piece), best[end].value);
        if (sum < best[begin].value) best[begin] = {sum, piece, end};
      }
    }
  }
  std::vector<Piece> pieces;
  if (best.front().value >= Impossible) return pieces;
  for (std::size_t position = 0; position + 1 < cuts.size(); position = best[position].next)
    pieces.push_back(best[position].piece);
  return pieces;
}

SharedPlan pieces_plan(const Problem& problem, int policy, int variant, const std::vector<Piece>& pieces) {
  SharedPlan plan;
  plan.policy = policy;
  plan.variant = variant;
  const std::vector<int> layers = needed_layers(problem, policy);
  for (const Piece& piece : pieces) {
    if (!piece.tiles.empty()) {
      plan.steps.push_back({piece.first, piece.last, problem.home, piece.tiles});
      continue;
    }
    for (const int layer : layers)
      if (layer >= piece.first && layer <= piece.last) plan.steps.push_back({layer, layer, problem.home, {}});
  }
  return plan;
}

std::pair<int, int> tileable_prefix(const Problem& problem, int policy) {
  std::pair<int, int> longest{0, -1};
  const std::vector<int> layers = needed_layers(problem, policy);
  for (const int cut : cut_positions(problem, policy)) {
    const int last = layers[at(cut - 1)];
    if (last - layers.front() + 1 == cut && segment(problem, layers.front(), last).tileable)
      longest = {layers.front(), last};
  }
  return longest;
}

}  // namespace espalier::plan

#include "plan/placement/candidates.hpp"

#include <algorithm>
#include <utility>

#include "esp_error.hpp"
#include "plan/placement/segments.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string reason_of(const Error& error) {
  return error.value().empty() ? error.summary() : error.summary() + " (" + error.value() + ")";
}

}  // namespace

const Candidate& Candidates::group(const std::vector<int>& layers) {
  const auto [found, fresh] = groups_.try_emplace(layers);
  if (!fresh) return found->second;
  const Piece piece = cut_out(network_, layers, network_.name);
  try {
    found->second.compiled =
        std::make_shared<const compile::Compiled>(compile::compile(piece.network, configuration_, options_));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unsupported) throw;
    found->second.refusal = reason_of(error);
  }
  return found->second;
}

std::uint64_t least_cycles(const model::Network& network, int layer, const abi::Configuration& configuration) {
  const std::uint64_t multipliers = std::uint64_t{configuration.lanes} * configuration.pixels;
  return static_cast<std::uint64_t>(model::count_macs(network, network.layers[at(layer)]).nonzero) / multipliers;
}

std::vector<std::vector<int>> fewest_groups(const model::Network& network, const std::vector<bool>& movable) {
  const std::vector<int> makers = makers_of(network);
  std::vector<std::size_t> level(network.layers.size(), 0);
  std::vector<std::vector<int>> groups;
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
    for (const int input : network.layers[layer].inputs) {
      if (makers[at(input)] < 0) continue;
      const std::size_t maker = at(makers[at(input)]);
      const bool behind = movable[layer] && !movable[maker];
      level[layer] = std::max(level[layer], level[maker] + (behind ? 1 : 0));
    }
    if (!movable[layer]) continue;
    if (groups.size() <= level[layer]) groups.resize(level[layer] + 1);
    groups[level[layer]].push_back(static_cast<int>(layer));
  }
  std::erase_if(groups, [](const std::vector<int>& group) { return group.empty(); });
  return groups;
}

}  // namespace espalier::plan

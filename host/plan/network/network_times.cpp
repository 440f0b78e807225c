#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "esp_error.hpp"
#include "plan/network/network_part.hpp"
#include "plan/network/network_problem.hpp"
#include "plan/planners/actions.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Cycles of a part from start to done; none if the compiler refuses it.
std::optional<compile::Compiled> compiled_part(const model::Network& network, const abi::Configuration& configuration,
                                               const compile::Options& options, int first, int last) {
  try {
    return compile::compile(network_part(network, first, last), configuration, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unsupported) throw;
    return std::nullopt;
  }
}

/// The layers' parts of the whole program. Layers that are marked together share their cycles by their work.
std::vector<std::int64_t> shares_of(const std::vector<compile::LayerReport>& layers) {
  std::vector<std::int64_t> shares;
  for (std::size_t begin = 0; begin < layers.size();) {
    std::size_t end = begin + 1;
    while (layers[begin].group != 0 && end < layers.size() && layers[end].group == layers[begin].group) ++end;
    std::int64_t cycles = 0, macs = 0;
    for (std::size_t layer = begin; layer < end; ++layer) {
      cycles += layers[layer].predicted_cycles;
      macs += layers[layer].macs + 1;
    }
    for (std::size_t layer = begin; layer < end; ++layer)
      shares.push_back(std::max<std::int64_t>(1, scaled(cycles, layers[layer].macs + 1, macs)));
    begin = end;
  }
  return shares;
}

/// What a machine of this size needs at its peak, where no program says it.
std::int64_t peak_cycles(const model::Network& network, const model::Layer& layer,
                         const abi::Configuration& configuration) {
  const std::int64_t peak = std::int64_t{configuration.lanes} * configuration.pixels;
  const std::int64_t work = std::max<std::int64_t>(
      model::count_macs(network, layer).all, static_cast<std::int64_t>(network.features[at(layer.output)].elements()));
  return (work + peak - 1) / peak;
}

std::vector<std::vector<int>> layer_inputs(const model::Network& network) {
  std::vector<int> maker(network.features.size(), NetworkInput);
  std::vector<std::vector<int>> inputs;
  for (int layer = 0; layer < static_cast<int>(network.layers.size()); ++layer) {
    inputs.emplace_back();
    for (const int input : network.layers[at(layer)].inputs) inputs.back().push_back(maker[at(input)]);
    maker[at(network.layers[at(layer)].output)] = layer;
  }
  return inputs;
}

/// Layers after which one tensor alone is alive, those with the fewest bytes first, each smaller than all before it.
std::vector<int> cheap_ends(const model::Network& network, int most) {
  Problem skeleton;
  const int last = static_cast<int>(network.layers.size()) - 1;
  for (const std::vector<int>& inputs : layer_inputs(network)) skeleton.layers.push_back({{}, inputs, {}, 0});
  skeleton.exits = {{"last", last}};
  skeleton.policies = {{"last", {{0, Whole}}, {}}};
  std::vector<std::pair<std::size_t, int>> ends;
  const std::vector<int> needed = needed_layers(skeleton, 0);
  std::size_t least = SIZE_MAX;
  for (const int position : cut_positions(skeleton, 0)) {
    const int layer = needed[at(position - 1)];
    const std::size_t bytes = network.features[at(network.layers[at(layer)].output)].elements();
    if (layer == last || bytes >= least) continue;
    least = bytes;
    ends.emplace_back(bytes, layer);
  }
  // The smallest tensors are the last ones; halving the list keeps the spread over the network.
  std::vector<int> result;
  const int count = static_cast<int>(ends.size());
  for (int index = 0; index < std::min(most, count); ++index)
    result.push_back(ends[at(count - 1 - index * count / std::min(most, count))].second);
  return result;
}

}  // namespace

NetworkTimes network_times(const model::Network& network, const abi::Configuration& configuration,
                           const TimesOptions& options) {
  NetworkTimes times;
  const int count = static_cast<int>(network.layers.size());
  const auto tell = [&](const std::string& line) {
    if (options.progress) options.progress(line);
  };
  tell(fmt::format("exact times of {} layers", count));
  for (int layer = 0; layer < count; ++layer) {
    const auto part = compiled_part(network, configuration, options.compile, layer, layer);
    times.alone.push_back(part ? std::optional<std::int64_t>(part->total_cycles) : std::nullopt);
  }
  const auto whole = compiled_part(network, configuration, options.compile, 0, count - 1);
  if (whole && whole->layers.size() == network.layers.size()) {
    times.share = shares_of(whole->layers);
  } else {
    for (const model::Layer& layer : network.layers) times.share.push_back(peak_cycles(network, layer, configuration));
  }
  if (!whole || count == 1) return times;
  times.runs.push_back({0, count - 1, whole->total_cycles});
  for (const int end : cheap_ends(network, options.positions)) {
    tell("exact times before and after " + network.layers[at(end)].name);
    for (const auto& [first, last] : {std::pair{0, end}, std::pair{end + 1, count - 1}})
      if (const auto part = compiled_part(network, configuration, options.compile, first, last); part && first < last)
        times.runs.push_back({first, last, part->total_cycles});
  }
  return times;
}

}  // namespace espalier::plan

#include "plan/placement/place.hpp"

#include <algorithm>
#include <cmath>

#include "esp_error.hpp"
#include "plan/placement/placer.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string where_of(const model::Layer& layer) { return "layer '" + layer.name + "' (" + layer.op + ")"; }

std::vector<std::optional<Place>> find_pins(const model::Network& network, const PlaceOptions& options) {
  std::vector<std::optional<Place>> pins(network.layers.size());
  for (const auto& [name, place] : options.pins) {
    bool found = false;
    for (std::size_t i = 0; i < pins.size(); ++i) {
      if (network.layers[i].name != name) continue;
      pins[i] = place;
      found = true;
    }
    if (!found)
      throw Error(ErrorCode::Usage, "no layer has this name", "pin of a layer", name,
                  "see the names with espalier inspect");
    if (place == Place::Host && options.forbid_host)
      throw Error(ErrorCode::Usage, "a layer is pinned to the CPU, which is forbidden", "pin of a layer", name,
                  "leave one of the two");
  }
  return pins;
}

}  // namespace

const char* to_string(Place place) { return place == Place::Host ? "cpu" : "accelerator"; }

Placer::Placer(const model::Network& network, const abi::Configuration& configuration, CpuCosts& costs,
               const PlaceOptions& options)
    : network_(network),
      configuration_(configuration),
      costs_(costs),
      options_(options),
      candidates_(network, configuration, options.compile),
      pins_(find_pins(network, options)),
      refusals_(network.layers.size()),
      with_costs_(options.costs || options.policy == Policy::Latency) {
  for (std::size_t i = 0; i < layers(); ++i) {
    const model::Layer& layer = network_.layers[i];
    if (layer.kind == model::LayerKind::Real) refuse(i, "the machine has no such operator: " + layer.refusal);
  }
}

void Placer::refuse(std::size_t layer, const std::string& reason) {
  refusals_[layer] = reason;
  if (pins_[layer] == Place::Accelerator)
    throw Error(ErrorCode::Unsupported, "the accelerator refuses a layer that is pinned to it",
                where_of(network_.layers[layer]), reason, "remove the pin");
}

bool Placer::allowed(std::size_t layer) const { return refusals_[layer].empty() && pins_[layer] != Place::Host; }

/// The fewest groups of the wanted layers that the accelerator takes. Layers that it refuses alone stay on the host.
Groups Placer::settle(std::vector<bool> wanted) {
  for (;;) {
    for (std::size_t i = 0; i < layers(); ++i) wanted[i] = wanted[i] && allowed(i);
    Groups result;
    bool complete = true;
    for (const std::vector<int>& group : fewest_groups(network_, wanted)) complete = divide(group, result) && complete;
    if (complete) return result;
  }
}

/// Appends the group, or parts of it that compile; false: layers of it are refused alone.
bool Placer::divide(const std::vector<int>& group, Groups& result) {
  if (options_.progress) options_.progress("compiling " + std::to_string(group.size()) + " layers");
  if (candidates_.group(group).possible()) {
    result.push_back(group);
    return true;
  }
  if (find_refused(group)) return false;
  const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
  const bool first = divide({group.begin(), middle}, result);
  return divide({middle, group.end()}, result) && first;
}

bool Placer::find_refused(const std::vector<int>& group) {
  bool found = false;
  for (const int layer : group) {
    const Candidate& alone = candidates_.group({layer});
    if (alone.possible()) continue;
    refuse(at(layer), alone.refusal);
    found = true;
  }
  return found;
}

void Placer::refuse_host(const Groups& groups) const {
  std::vector<bool> placed(layers(), false);
  for (const std::vector<int>& group : groups)
    for (const int layer : group) placed[at(layer)] = true;
  std::string list;
  int count = 0;
  for (std::size_t i = 0; i < layers(); ++i) {
    if (placed[i]) continue;
    ++count;
    list += (list.empty() ? "" : "; ") + where_of(network_.layers[i]) + ": " + refusals_[i];
  }
  if (count > 0)
    throw Error(
        ErrorCode::Unsupported,
        std::to_string(count) + " of " + std::to_string(layers()) + " layers would run on the CPU, which is forbidden",
        "network '" + network_.name + "'", list, "allow the CPU, or change these layers");
}

MixedPlan Placer::run() {
  std::vector<bool> wanted(layers(), options_.policy != Policy::HostOnly);
  for (std::size_t i = 0; i < layers(); ++i)
    if (pins_[i] == Place::Accelerator) wanted[i] = true;
  // With costs the other policies are compared with.
  const Groups first = settle(with_costs_ ? std::vector<bool>(layers(), true) : wanted);
  Groups chosen = first;
  if (options_.policy == Policy::HostOnly) chosen = settle(wanted);
  if (options_.forbid_host) refuse_host(chosen);
  if (with_costs_) {
    problem_ = make_problem();
    add_shares(first);
    if (options_.policy == Policy::Latency && !options_.forbid_host) chosen = least_latency(first);
  }
  MixedPlan plan = assemble(chosen);
  if (with_costs_) add_costs(plan, chosen, first);
  explain(plan);
  return plan;
}

MixedPlan place(const model::Network& network, const abi::Configuration& configuration, CpuCosts& costs,
                const PlaceOptions& options) {
  model::validate(network);
  return Placer(network, configuration, costs, options).run();
}

}  // namespace espalier::plan

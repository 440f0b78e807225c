#include "plan/cost/problem.hpp"

#include <cstddef>

#include "esp_error.hpp"

namespace espalier::plan {
namespace {

constexpr std::size_t MostDevices = 16;
constexpr std::size_t MostLayers = 4096;

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& value,
                         const std::string& action) {
  throw Error(ErrorCode::Input, what, where, value, action);
}

void check_range(std::int64_t value, std::int64_t low, std::int64_t high, const std::string& where) {
  if (value < low || value > high)
    refuse("number out of range", where, std::to_string(value),
           "give a number from " + std::to_string(low) + " to " + std::to_string(high));
}

void check_index(int index, std::size_t count, const std::string& where) {
  if (index < 0 || static_cast<std::size_t>(index) >= count)
    refuse("no such index", where, std::to_string(index), "give an index below " + std::to_string(count));
}

void check_cost(const Cost& cost, const std::string& where) {
  check_range(cost.time.mean, 0, LargestStep, where + ".mean_ns");
  check_range(cost.time.bound, cost.time.mean, LargestStep, where + ".bound_ns");
  check_range(cost.energy, 0, LargestStep, where + ".energy_nj");
}

void check_devices(const Problem& problem) {
  const std::size_t count = problem.devices.size();
  check_range(static_cast<std::int64_t>(count), 1, MostDevices, "devices");
  check_index(problem.home, count, "home");
  for (std::size_t index = 0; index < count; ++index) {
    const std::string where = "devices[" + std::to_string(index) + "]";
    check_range(problem.devices[index].memory, 0, Impossible, where + ".memory_bytes");
    check_range(problem.devices[index].load, 1, Whole * Whole, where + ".load");
  }
  for (std::size_t index = 0; index < problem.links.size(); ++index) {
    const Link& link = problem.links[index];
    const std::string where = "links[" + std::to_string(index) + "]";
    check_index(link.from, count, where + ".from");
    check_index(link.to, count, where + ".to");
    if (link.from == link.to) refuse("a link needs two devices", where, std::to_string(link.from), "leave it out");
    for (std::size_t other = 0; other < index; ++other)
      if (problem.links[other].from == link.from && problem.links[other].to == link.to)
        refuse("two links in one direction", where, std::to_string(other), "leave one out");
    check_range(link.bytes_per_second, 0, LargestStep, where + ".bytes_per_second");
    check_range(link.latency, 0, LargestStep, where + ".latency_ns");
    check_range(link.serialise_picoseconds, 0, LargestStep, where + ".serialise_ps_per_byte");
    check_range(link.energy_picojoules, 0, LargestStep, where + ".energy_pj_per_byte");
  }
}

void check_window(const Window& window, const std::string& where) {
  constexpr int MostPixels = 1 << 16;
  for (const int size : {window.height, window.width, window.kernel, window.stride})
    check_range(size, 1, MostPixels, where + ".window");
  check_range(window.padding, 0, MostPixels, where + ".window.padding");
}

void check_layers(const Problem& problem) {
  check_range(static_cast<std::int64_t>(problem.layers.size()), 1, MostLayers, "layers");
  for (std::size_t index = 0; index < problem.layers.size(); ++index) {
    const std::string where = "layers[" + std::to_string(index) + "]";
    const Layer& layer = problem.layers[index];
    if (layer.inputs.empty()) refuse("a layer needs an input", where, layer.name, "name it, or -1 for the network's");
    for (std::size_t input = 0; input < layer.inputs.size(); ++input)
      check_range(layer.inputs[input], NetworkInput, static_cast<std::int64_t>(index) - 1, where + ".inputs");
    if (layer.window) check_window(*layer.window, where);
  }
}

void check_variants(const Problem& problem) {
  check_range(static_cast<std::int64_t>(problem.variants.size()), 1, MostDevices * MostDevices, "variants");
  for (std::size_t index = 0; index < problem.variants.size(); ++index) {
    const Variant& variant = problem.variants[index];
    const std::string where = "variants[" + std::to_string(index) + "]";
    check_range(variant.input_bytes, 0, LargestStep, where + ".input_bytes");
    if (variant.layers.size() != problem.layers.size())
      refuse("a variant has a row for every layer", where, std::to_string(variant.layers.size()),
             "give " + std::to_string(problem.layers.size()) + " layers");
    for (std::size_t layer = 0; layer < variant.layers.size(); ++layer) {
      const LayerVariant& sizes = variant.layers[layer];
      const std::string row = where + ".layers[" + std::to_string(layer) + "]";
      check_range(sizes.output_bytes, 0, LargestStep, row + ".output_bytes");
      check_range(sizes.weight_bytes, 0, LargestStep, row + ".weight_bytes");
      if (sizes.costs.size() != problem.devices.size())
        refuse("a layer has a cost, or null, for every device", row, std::to_string(sizes.costs.size()),
               "give " + std::to_string(problem.devices.size()) + " costs");
      for (const std::optional<Cost>& cost : sizes.costs)
        if (cost) check_cost(*cost, row + ".costs");
    }
  }
}

void check_exits(const Problem& problem) {
  check_range(static_cast<std::int64_t>(problem.exits.size()), 1, MostLayers, "exits");
  for (std::size_t index = 0; index < problem.exits.size(); ++index) {
    check_index(problem.exits[index].layer, problem.layers.size(), "exits[" + std::to_string(index) + "].layer");
    if (index > 0 && problem.exits[index].layer <= problem.exits[index - 1].layer)
      refuse("exits are in the order of their layers", "exits[" + std::to_string(index) + "]",
             problem.exits[index].name, "sort them");
  }
  check_range(static_cast<std::int64_t>(problem.policies.size()), 1, MostLayers, "policies");
  for (std::size_t index = 0; index < problem.policies.size(); ++index) {
    const Policy& policy = problem.policies[index];
    const std::string where = "policies[" + std::to_string(index) + "]";
    if (policy.leaves.empty()) refuse("a policy needs an exit", where, policy.name, "name one");
    BasisPoints sum = 0;
    for (std::size_t leave = 0; leave < policy.leaves.size(); ++leave) {
      check_index(policy.leaves[leave].exit, problem.exits.size(), where + ".leaves");
      check_range(policy.leaves[leave].share, 0, Whole, where + ".leaves.share");
      if (leave > 0 && policy.leaves[leave].exit <= policy.leaves[leave - 1].exit)
        refuse("the exits of a policy are in order", where, policy.name, "sort them");
      sum += policy.leaves[leave].share;
    }
    if (sum != Whole || policy.leaves.back().share == 0)
      refuse("the shares of a policy sum to 10000 and the last is not 0", where, std::to_string(sum), "correct them");
    if (policy.accuracy.size() != problem.variants.size())
      refuse("a policy has an accuracy for every variant", where, std::to_string(policy.accuracy.size()),
             "give " + std::to_string(problem.variants.size()));
    for (const BasisPoints accuracy : policy.accuracy) check_range(accuracy, 0, Whole, where + ".accuracy");
  }
}

void check_ranges(const Problem& problem) {
  for (std::size_t index = 0; index < problem.groups.size(); ++index) {
    const Group& group = problem.groups[index];
    const std::string where = "groups[" + std::to_string(index) + "]";
    check_index(group.last, problem.layers.size(), where + ".last");
    check_range(group.first, 0, group.last, where + ".first");
    check_index(group.device, problem.devices.size(), where + ".device");
    check_index(group.variant, problem.variants.size(), where + ".variant");
    check_cost(group.cost, where);
  }
  for (std::size_t index = 0; index < problem.tilings.size(); ++index) {
    const Tiling& tiling = problem.tilings[index];
    const std::string where = "tilings[" + std::to_string(index) + "]";
    check_index(tiling.last, problem.layers.size(), where + ".last");
    check_range(tiling.first, 0, tiling.last, where + ".first");
    if (tiling.tiles.empty()) refuse("a tiling needs tiles", where, "0", "leave it out");
    for (const Tile& tile : tiling.tiles) check_index(tile.device, problem.devices.size(), where + ".tiles.device");
  }
}

}  // namespace

const char* to_string(Objective objective) {
  switch (objective) {
    case Objective::Latency:
      return "latency";
    case Objective::Energy:
      return "energy";
    case Objective::Throughput:
      return "throughput";
  }
  return "latency";
}

const char* to_string(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::Accelerator:
      return "accelerator";
    case DeviceKind::Cpu:
      return "cpu";
    case DeviceKind::Remote:
      return "remote";
  }
  return "cpu";
}

const char* to_string(TimeSource source) {
  switch (source) {
    case TimeSource::Exact:
      return "exact";
    case TimeSource::Measured:
      return "measured";
    case TimeSource::Reported:
      return "reported";
  }
  return "exact";
}

void validate(const Problem& problem) {
  check_devices(problem);
  check_layers(problem);
  check_variants(problem);
  check_exits(problem);
  check_ranges(problem);
  check_range(problem.accuracy_floor, 0, Whole, "accuracy_floor");
}

}  // namespace espalier::plan

#include "plan/cost/transfer.hpp"

namespace espalier::plan {
namespace {

constexpr std::int64_t NanosecondsPerSecond = 1'000'000'000;
constexpr std::int64_t PicoPerNano = 1000;

}  // namespace

std::optional<int> find_link(const Problem& problem, int from, int to) {
  for (std::size_t index = 0; index < problem.links.size(); ++index)
    if (problem.links[index].from == from && problem.links[index].to == to) return static_cast<int>(index);
  return std::nullopt;
}

Primitive over_link(const Link& link, Bytes bytes) {
  if (link.bytes_per_second <= 0) return impossible();
  const Nanoseconds time = add(add(link.latency, scaled(bytes, NanosecondsPerSecond, link.bytes_per_second)),
                               scaled(bytes, link.serialise_picoseconds, PicoPerNano));
  if (time > LargestStep) return impossible();
  return {time, time, scaled(bytes, link.energy_picojoules, PicoPerNano)};
}

Primitive transfer(const Problem& problem, int from, int to, Bytes bytes) {
  if (from == to) return {};
  const std::optional<int> link = find_link(problem, from, to);
  return link ? over_link(problem.links[static_cast<std::size_t>(*link)], bytes) : impossible();
}

Primitive loaded(const Problem& problem, const std::optional<Cost>& cost, int device) {
  if (!cost) return impossible();
  const BasisPoints load = problem.devices[static_cast<std::size_t>(device)].load;
  const Primitive result{scaled(cost->time.mean, load, Whole), scaled(cost->time.bound, load, Whole), cost->energy};
  return result.bound > LargestStep ? impossible() : result;
}

Primitive layer_cost(const Problem& problem, int variant, int layer, int device) {
  const LayerVariant& sizes =
      problem.variants[static_cast<std::size_t>(variant)].layers[static_cast<std::size_t>(layer)];
  return loaded(problem, sizes.costs[static_cast<std::size_t>(device)], device);
}

const Group* find_group(const Problem& problem, int variant, int first, int last, int device) {
  for (const Group& group : problem.groups)
    if (group.first == first && group.last == last && group.device == device && group.variant == variant) return &group;
  return nullptr;
}

Bytes tensor_bytes(const Problem& problem, int variant, int layer) {
  const Variant& sizes = problem.variants[static_cast<std::size_t>(variant)];
  return layer == NetworkInput ? sizes.input_bytes : sizes.layers[static_cast<std::size_t>(layer)].output_bytes;
}

}  // namespace espalier::plan

// The costs of a placement, and the one of least latency.
#include <algorithm>
#include <cmath>
#include <set>

#include "plan/placement/placer.hpp"

namespace espalier::plan {
namespace {

/// Ends of groups that are tried inside one that compiles; longer ones are cut at fewer places.
constexpr std::size_t MostEnds = 48;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::vector<bool> members(const Groups& groups, std::size_t layers) {
  std::vector<bool> result(layers, false);
  for (const std::vector<int>& group : groups)
    for (const int layer : group) result[at(layer)] = true;
  return result;
}

Nanoseconds rounded(double value) {
  return static_cast<Nanoseconds>(std::llround(std::min(value, static_cast<double>(LargestStep))));
}

void add_to(Nanoseconds& time, Nanoseconds more) { time = add(time, more); }

}  // namespace

Nanoseconds Placer::time_of(std::uint64_t cycles) const {
  return rounded(static_cast<double>(cycles) * 1000 / options_.mhz);
}

PlacementProblem Placer::make_problem() {
  PlacementProblem problem;
  const ConversionTime conversion = costs_.conversion(configuration_);
  for (std::size_t i = 0; i < layers(); ++i) {
    const int index = static_cast<int>(i);
    if (options_.progress && i == 0) options_.progress("times of " + std::to_string(layers()) + " layers on the CPU");
    host_times_.push_back(costs_.layer(network_, index));
    const bool here = pins_[i] != Place::Accelerator && !options_.forbid_host;
    problem.host.push_back(here ? host_times_.back().median : Impossible);
    problem.accelerator.push_back(allowed(i) ? time_of(least_cycles(network_, index, configuration_)) : Impossible);
  }
  const std::vector<std::vector<int>> readers = readers_of(network_);
  const std::vector<int> makers = makers_of(network_);
  for (std::size_t i = 0; i < network_.features.size(); ++i) {
    const auto elements = static_cast<double>(network_.features[i].elements());
    const double moved = static_cast<double>(options_.link.latency) + elements / options_.link.bytes_per_ns;
    PlacedTensor tensor;
    tensor.maker = makers[i];
    tensor.readers = readers[i];
    tensor.answer =
        std::find(network_.outputs.begin(), network_.outputs.end(), static_cast<int>(i)) != network_.outputs.end();
    const Nanoseconds entry = rounded(conversion.enter.of(elements)), exit = rounded(conversion.leave.of(elements));
    tensor.up = rounded(moved + conversion.pack.of(elements)) + (tensor.maker < 0 ? 0 : exit);
    tensor.down = rounded(moved + conversion.unpack.of(elements)) + (tensor.readers.empty() ? 0 : entry);
    // The network's own edge is in the time of the layers there: of the first that reads, and of the maker.
    if (tensor.maker < 0 && !tensor.readers.empty()) add_to(problem.host[at(tensor.readers.front())], entry);
    if (tensor.maker >= 0 && (tensor.answer || tensor.readers.empty())) add_to(problem.host[at(tensor.maker)], exit);
    // What nobody reads is written out like an answer.
    if (tensor.maker >= 0 && tensor.readers.empty()) tensor.answer = true;
    problem.tensors.push_back(std::move(tensor));
  }
  return problem;
}

/// The cycles of every layer: its part of its group. Layers that run together share them by the slots of their lanes.
void Placer::add_shares(const Groups& groups) {
  shares_.assign(layers(), Impossible);
  share_cycles_.assign(layers(), 0);
  for (const std::vector<int>& group : groups) {
    const std::vector<compile::LayerReport>& reports = candidates_.group(group).compiled->layers;
    for (std::size_t i = 0; i < reports.size(); ++i) {
      std::uint64_t cycles = reports[i].predicted_cycles;
      if (reports[i].group > 0) {
        std::uint64_t slots = 0, all = 0;
        for (const compile::LayerReport& other : reports) {
          if (other.group != reports[i].group) continue;
          slots += other.scheduled_slots;
          all += other.predicted_cycles;
        }
        cycles = slots == 0 ? all : all * reports[i].scheduled_slots / slots;
      }
      share_cycles_[at(group[i])] = cycles;
      shares_[at(group[i])] = time_of(cycles);
    }
  }
}

GroupCandidate Placer::candidate(const std::vector<int>& layers) {
  const Candidate& compiled = candidates_.group(layers);
  if (!compiled.possible()) return {layers, Impossible, true};
  return {layers, options_.link.start + time_of(compiled.cycles()), true};
}

Nanoseconds Placer::cost_of(const Groups& groups) {
  Nanoseconds cost = 0;
  for (const std::vector<int>& group : groups) cost = add(cost, block_cost(problem_, candidate(group)));
  const std::vector<bool> moved = members(groups, layers());
  for (std::size_t i = 0; i < layers(); ++i)
    if (!moved[i]) cost = add(cost, problem_.host[i]);
  return cost;
}

Groups Placer::greedy() {
  PlacementProblem shares = problem_;
  shares.accelerator = shares_;
  return settle(greedy_fixed(shares).on_accelerator);
}

Groups Placer::least_latency(const Groups& accelerator_first) {
  PlacementProblem shares = problem_;
  shares.accelerator = shares_;
  std::vector<Groups> known{{}, accelerator_first, greedy()};
  if (const FixedPlan cut = best_fixed(shares); cut.cost < Impossible) known.push_back(settle(cut.on_accelerator));
  known.push_back(search(accelerator_first, known));
  return *std::min_element(known.begin(), known.end(),
                           [&](const Groups& a, const Groups& b) { return cost_of(a) < cost_of(b); });
}

/// The best division into groups that were compiled; groups that might be better by the bound of their multiplications
/// are compiled one after the other, until the best division has none left or the trials are used up.
Groups Placer::search(const Groups& accelerator_first, const std::vector<Groups>& known) {
  std::set<std::vector<int>> exact;
  for (const Groups& groups : known) exact.insert(groups.begin(), groups.end());
  for (std::size_t i = 0; i < layers(); ++i)
    if (allowed(i)) exact.insert({static_cast<int>(i)});
  std::vector<GroupCandidate> list;
  list.reserve(exact.size());
  for (const std::vector<int>& group : exact) list.push_back(candidate(group));
  for (const std::vector<int>& group : accelerator_first) {
    const std::size_t step = (group.size() + MostEnds - 1) / MostEnds;
    for (std::size_t begin = 0; begin < group.size(); begin += step)
      for (std::size_t end = std::min(begin + step, group.size());; end = std::min(end + step, group.size())) {
        const std::vector<int> part(group.begin() + static_cast<std::ptrdiff_t>(begin),
                                    group.begin() + static_cast<std::ptrdiff_t>(end));
        Nanoseconds least = options_.link.start;
        for (const int layer : part) least = add(least, problem_.accelerator[at(layer)]);
        if (!exact.contains(part)) list.push_back({part, least, false});
        if (end == group.size()) break;
      }
  }
  certificate_.groups_considered = list.size();
  GroupedPlan plan;
  for (std::size_t trial = 0;; ++trial) {
    plan = best_grouped(problem_, list);
    certificate_.bound = plan.complete ? plan.cost : 0;
    const auto open = std::find_if(plan.blocks.begin(), plan.blocks.end(), [&](const PlacedBlock& block) {
      return block.group >= 0 && !list[at(block.group)].exact;
    });
    certificate_.optimal = plan.complete && plan.cost < Impossible && open == plan.blocks.end();
    if (open == plan.blocks.end() || trial == options_.group_trials) break;
    if (options_.progress) options_.progress("compiling a group of " + std::to_string(open->layers.size()) + " layers");
    list[at(open->group)] = candidate(open->layers);
  }
  if (!certificate_.optimal) {
    std::erase_if(list, [](const GroupCandidate& group) { return !group.exact; });
    plan = best_grouped(problem_, list);
  }
  Groups groups;
  for (const PlacedBlock& block : plan.blocks)
    if (block.group >= 0) groups.push_back(block.layers);
  return groups;
}

void Placer::add_costs(MixedPlan& plan, const Groups& groups, const Groups& accelerator_first) {
  PlanCosts costs;
  costs.total = cost_of(groups);
  costs.all_host = cost_of({});
  costs.accelerator_first = cost_of(accelerator_first);
  costs.greedy = cost_of(greedy());
  for (Segment& segment : plan.segments) {
    if (segment.place == Place::Host) {
      for (const int layer : segment.layers) segment.time = add(segment.time, problem_.host[at(layer)]);
      costs.host = add(costs.host, segment.time);
      continue;
    }
    const GroupCandidate group = candidate(segment.layers);
    segment.time = group.cost;
    segment.transfers = block_cost(problem_, group) - group.cost;
    costs.accelerator = add(costs.accelerator, segment.time);
    costs.transfers = add(costs.transfers, segment.transfers);
  }
  costs.certificate = certificate_;
  const FixedPlan bound = best_fixed(problem_);
  costs.certificate.bound_any_group = std::min(bound.cost, costs.total);
  costs.certificate.bound = std::max(costs.certificate.bound, costs.certificate.bound_any_group);
  costs.certificate.groups_compiled = candidates_.compiled();
  plan.costs = costs;
}

/// How much less a frame could take at most if the accelerator took this layer at one MAC per multiplier and cycle.
Nanoseconds Placer::gain_of(std::size_t layer) const {
  PlacementProblem shares = problem_;
  shares.accelerator = shares_;
  const Nanoseconds now = best_fixed(shares).cost;
  shares.accelerator[layer] = time_of(least_cycles(network_, static_cast<int>(layer), configuration_));
  return std::max<Nanoseconds>(0, now - best_fixed(shares).cost);
}

}  // namespace espalier::plan

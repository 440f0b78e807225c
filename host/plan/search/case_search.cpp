#include "plan/search/case_search.hpp"

#include <algorithm>

#include "plan/search/multipliers.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// Rounds of the multiplier search; more rounds tighten bounds, they change no answer.
constexpr int DeadlineRounds = 12;

}  // namespace

CaseSearch::CaseSearch(const Problem& problem, const Request& request, const StateGraph& graph,
                       const VariantCosts& costs, int variant)
    : problem_(problem),
      request_(request),
      graph_(graph),
      costs_(costs),
      variant_(variant),
      grain_(request.objective == Objective::Throughput ? graph.grain() : 1) {
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device) {
    Bytes all = 0;
    for (const LayerVariant& layer : problem.variants[at(variant)].layers) all = add(all, layer.weight_bytes);
    if (problem.devices[at(device)].memory > 0 && all > problem.devices[at(device)].memory) limited_.push_back(device);
  }
}

LoadStart CaseSearch::even_start() const {
  if (!throughput()) return {};
  std::vector<double> time(problem_.devices.size(), 0);
  for (std::size_t index = 0; index < costs_.layers.size(); ++index)
    if (costs_.layers[index].possible())
      time[index % time.size()] += static_cast<double>(std::max<Nanoseconds>(costs_.layers[index].mean, 1));
  for (double& one : time) one = one > 0 ? 1 / one : 0;
  if (std::all_of(time.begin(), time.end(), [](double one) { return one == 0; })) time.front() = 1;
  time.resize(resources(), 0);
  return {in_proportion(time, CoarseMultiplierSum), 0};
}

std::int64_t CaseSearch::choice_weight(const Choice& choice, const Values& load_multipliers) const {
  const Primitive& cost = choice_cost(problem_, costs_, variant_, choice);
  if (!cost.possible()) return Impossible;
  if (!throughput()) return request_.objective == Objective::Energy ? cost.energy : cost.mean;
  if (choice.tiling == Choice::None) return times(cost.mean, load_multipliers[at(choice.device)]);
  const TilingCost& tiling = costs_.tilings[at(choice.tiling) * problem_.devices.size() + at(choice.device)];
  std::int64_t weight = 0;
  for (std::size_t resource = 0; resource < tiling.loads.size(); ++resource)
    weight = add(weight, times(tiling.loads[resource], load_multipliers[resource]));
  return weight;
}

std::int64_t CaseSearch::largest_load(const Choice& choice) const {
  if (choice.tiling == Choice::None) return times(choice_cost(problem_, costs_, variant_, choice).mean, choice.share);
  const TilingCost& tiling = costs_.tilings[at(choice.tiling) * problem_.devices.size() + at(choice.device)];
  return times(*std::max_element(tiling.loads.begin(), tiling.loads.end()), choice.share);
}

std::int64_t CaseSearch::quick_bound(const LoadStart& start) const {
  Values least(at(graph_.positions()) + 1, Impossible);
  least.back() = 0;
  // Choices are known by position, and none ends before one that starts later: the end is known first.
  const std::vector<Choice>& choices = graph_.choices();
  for (const std::uint32_t index : graph_.late_first()) {
    const Choice& choice = choices[index];
    std::int64_t& here = least[at(choice.position)];
    const std::int64_t weight = choice_weight(choice, start.loads);
    if (weight < Impossible)
      here = std::min(here, add(times(weight, choice.share / grain_), least[at(choice.next_position)]));
  }
  return throughput() ? load_bound(least.front(), sum_of(start.loads)) : least.front();
}

// The largest load of a plan whose weighted loads, in grains, are at least `weight`. Saturated sums are at least
// Impossible.
std::int64_t CaseSearch::load_bound(std::int64_t weight, std::int64_t sum) const {
  return times(weight / sum + (weight % sum != 0 ? 1 : 0), grain_);
}

// Bounds of all arcs; an arc whose choice or transfers are not possible has none.
void CaseSearch::fill_bounds() {
  Values choice_bound;
  choice_bound.reserve(graph_.choices().size());
  for (const Choice& choice : graph_.choices())
    choice_bound.push_back(choice_cost(problem_, costs_, variant_, choice).bound);
  bounds_.resize(graph_.arcs().size());
  for (std::size_t index = 0; index < bounds_.size(); ++index) {
    const StateGraph::Arc& arc = graph_.arcs()[index];
    std::int64_t bound = choice_bound[arc.choice];
    for (const std::uint32_t id : graph_.transfers(arc)) bound = add(bound, costs_.transfers[id].bound);
    bounds_[index] = bound;
  }
}

// Weights of all arcs. For throughput, an arc that alone loads something as much as the value to beat is on no better
// path.
void CaseSearch::fill(const Values& load_multipliers) {
  const std::size_t devices = problem_.devices.size();
  Values choices, transfers;
  choices.reserve(graph_.choices().size());
  for (const Choice& choice : graph_.choices())
    choices.push_back(throughput() && largest_load(choice) >= beat_
                          ? Impossible
                          : times(choice_weight(choice, load_multipliers), choice.share / grain_));
  transfers.reserve(costs_.transfers.size());
  for (std::size_t id = 0; id < costs_.transfers.size(); ++id) {
    const Primitive& cost = costs_.transfers[id];
    const int link = costs_.transfer_link[id % (devices * devices)];
    if (throughput())
      transfers.push_back(times(cost.mean, link < 0 ? 1 : load_multipliers[devices + at(link)]));
    else
      transfers.push_back(request_.objective == Objective::Energy ? cost.energy : cost.mean);
  }
  weights_.resize(graph_.arcs().size());
  for (std::size_t index = 0; index < weights_.size(); ++index) {
    const StateGraph::Arc& arc = graph_.arcs()[index];
    std::int64_t weight = choices[arc.choice];
    for (const std::uint32_t id : graph_.transfers(arc))
      weight = throughput() && times(costs_.transfers[id].mean, graph_.choices()[arc.choice].share) >= beat_
                   ? Impossible
                   : add(weight, times(transfers[id], graph_.choices()[arc.choice].share / grain_));
    weights_[index] = bounds_[index] >= Impossible ? Impossible : weight;
  }
}

CaseSearch::Values CaseSearch::potentials(std::int64_t multiplier, const Values& weights) const {
  Values potential(graph_.states(), Impossible);
  potential.back() = 0;
  for (std::size_t state = graph_.states() - 1; state-- > 0;) {
    std::int64_t least = Impossible;
    for (std::uint32_t index = graph_.first_arc()[state]; index < graph_.first_arc()[state + 1]; ++index) {
      const std::int64_t own =
          multiplier == 0 ? weights[index] : add(weights[index], times(bounds_[index], multiplier));
      least = std::min(least, own + potential[graph_.arcs()[index].to]);
    }
    potential[state] = std::min(least, Impossible);
  }
  return potential;
}

std::vector<std::uint32_t> CaseSearch::path(const Values& potential, std::int64_t multiplier,
                                            const Values& weights) const {
  std::vector<std::uint32_t> arcs;
  if (potential.front() >= Impossible) return arcs;
  std::size_t state = 0;
  while (state + 1 < graph_.states()) {
    for (std::uint32_t index = graph_.first_arc()[state]; index < graph_.first_arc()[state + 1]; ++index) {
      const std::int64_t own = add(weights[index], times(bounds_[index], multiplier));
      const std::size_t to = graph_.arcs()[index].to;
      if (potential[to] < Impossible && add(own, potential[to]) == potential[state]) {
        arcs.push_back(index);
        state = to;
        break;
      }
    }
  }
  return arcs;
}

// Adds an arc's objective, time and, where they are needed, loads and weights in memories.
void CaseSearch::add_arc(std::uint32_t index, Totals& totals) const {
  totals.weight = add(totals.weight, weights_[index]);
  totals.bound = add(totals.bound, bounds_[index]);
  const StateGraph::Arc& arc = graph_.arcs()[index];
  const Choice& choice = graph_.choices()[arc.choice];
  const std::size_t devices = problem_.devices.size();
  if (throughput()) {
    const auto load = [&](std::size_t resource, Nanoseconds time) {
      totals.extra[resource] = add(totals.extra[resource], times(time, choice.share));
    };
    if (choice.tiling != Choice::None) {
      const TilingCost& tiling = costs_.tilings[at(choice.tiling) * devices + at(choice.device)];
      for (std::size_t resource = 0; resource < tiling.loads.size(); ++resource) load(resource, tiling.loads[resource]);
    } else {
      load(at(choice.device), choice_cost(problem_, costs_, variant_, choice).mean);
    }
    for (const std::uint32_t id : graph_.transfers(arc))
      load(devices + at(std::max(costs_.transfer_link[id % (devices * devices)], 0)), costs_.transfers[id].mean);
  }
  const std::size_t first_memory = throughput() ? resources() : 0;
  for (std::size_t limited = 0; limited < limited_.size(); ++limited) {
    bool used = choice.device == limited_[limited];
    if (choice.tiling != Choice::None) {
      const std::vector<Tile>& tiles = problem_.tilings[at(choice.tiling)].tiles;
      used =
          std::any_of(tiles.begin(), tiles.end(), [&](const Tile& tile) { return tile.device == limited_[limited]; });
    }
    if (!used) continue;
    for (int layer = choice.first; layer <= choice.last; ++layer)
      totals.extra[first_memory + limited] += problem_.variants[at(variant_)].layers[at(layer)].weight_bytes;
  }
}

CaseSearch::Totals CaseSearch::totals(const std::vector<std::uint32_t>& arcs) const {
  Totals totals;
  totals.extra.assign((throughput() ? resources() : 0) + limited_.size(), 0);
  for (const std::uint32_t arc : arcs) add_arc(arc, totals);
  return totals;
}

// The value of a path, or of its beginning; Impossible if it breaks a limit already.
std::int64_t CaseSearch::value_of(const Totals& totals) const {
  if (totals.bound > deadline() || totals.bound >= Impossible) return Impossible;
  const std::size_t first_memory = throughput() ? resources() : 0;
  for (std::size_t limited = 0; limited < limited_.size(); ++limited)
    if (totals.extra[first_memory + limited] > problem_.devices[at(limited_[limited])].memory) return Impossible;
  if (!throughput()) return totals.weight;
  return *std::max_element(totals.extra.begin(), totals.extra.begin() + static_cast<std::ptrdiff_t>(resources()));
}

void CaseSearch::consider(const std::vector<std::uint32_t>& arcs) {
  if (arcs.empty()) return;
  const std::int64_t value = value_of(totals(arcs));
  if (value >= beat_) return;
  beat_ = value;
  best_ = Found{value, arcs};
}

// The lower bound that a price of time gives, kept if it is the best; the potentials are those of the priced arcs.
CaseSearch::Values CaseSearch::price_deadline(std::int64_t multiplier) {
  Values potential = potentials(multiplier, weights_);
  if (potential.front() < Impossible && deadline() <= Impossible / multiplier &&
      potential.front() - multiplier * deadline() > bound_.lower_bound) {
    bound_.lower_bound = potential.front() - multiplier * deadline();
    bound_.deadline_multiplier = multiplier;
  }
  return potential;
}

// Lower bounds for latency and energy.
void CaseSearch::relax_deadline(std::int64_t start) {
  const Values free = potentials(0, weights_);
  bound_.lower_bound = free.front();
  if (free.front() >= beat_) return;
  const std::vector<std::uint32_t> cheapest = path(free, 0, weights_);
  consider(cheapest);
  if (beat_ <= free.front()) return;
  if (!request_.deadline) return;
  time_potential_ = potentials(0, bounds_);
  if (time_potential_.front() > deadline()) {
    bound_.deadline_multiplier = -1;
    bound_.lower_bound = Impossible;
    return;
  }
  if (start > 0) price_deadline(start);
  if (bound_.lower_bound >= beat_) return;
  Totals low = totals(cheapest);
  const std::vector<std::uint32_t> fastest = path(time_potential_, 0, bounds_);
  consider(fastest);
  Totals high = totals(fastest);
  for (int round = 0; round < DeadlineRounds && low.bound > deadline() && low.bound > high.bound; ++round) {
    // Rounded up: the bound falls slowly above the best multiplier, with the slack of `high`, and fast below it.
    const std::int64_t multiplier = (high.weight - low.weight + low.bound - high.bound - 1) / (low.bound - high.bound);
    if (multiplier <= 0) break;
    const Values potential = price_deadline(multiplier);
    const std::vector<std::uint32_t> arcs = path(potential, multiplier, weights_);
    consider(arcs);
    if (arcs.empty() || bound_.lower_bound >= beat_) break;
    Totals middle = totals(arcs);
    const bool feasible = middle.bound <= deadline();
    if (feasible ? middle.bound == high.bound : middle.bound == low.bound) break;
    (feasible ? high : low) = std::move(middle);
  }
}

CaseResult CaseSearch::relax(std::int64_t beat, const LoadStart& start) {
  bound_ = {};
  bound_.variant = variant_;
  beat_ = beat;
  best_.reset();
  fill_bounds();
  if (throughput()) {
    relax_loads(start);
  } else {
    fill({});
    relax_deadline(start.time);
  }
  return {bound_, best_, 0};
}

CaseResult CaseSearch::close(std::int64_t beat, std::size_t labels) {
  beat_ = beat;
  best_.reset();
  std::size_t made = 0;
  // Halves need a value to beat that the multipliers were made for.
  const bool halves = throughput() && beat_ / grain_ < Impossible / 2 / sum_of(bound_.load_multipliers);
  if (bound_.lower_bound < beat_) made = halves ? match_halves(labels) : close_gap(labels);
  return {bound_, best_, made};
}

}  // namespace espalier::plan

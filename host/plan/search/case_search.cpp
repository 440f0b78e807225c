#include "plan/search/case_search.hpp"

#include <algorithm>
#include <numeric>

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

// Rounds of the multiplier searches; more rounds tighten bounds, they change no answer.
constexpr int DeadlineRounds = 12;
constexpr int LoadRounds = 24;

}  // namespace

CaseSearch::CaseSearch(const Problem& problem, const Request& request, const StateGraph& graph,
                       const VariantCosts& costs, int variant)
    : problem_(problem), request_(request), graph_(graph), costs_(costs), variant_(variant) {
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device) {
    Bytes all = 0;
    for (const LayerVariant& layer : problem.variants[at(variant)].layers) all = add(all, layer.weight_bytes);
    if (problem.devices[at(device)].memory > 0 && all > problem.devices[at(device)].memory) limited_.push_back(device);
  }
}

std::int64_t CaseSearch::quick_bound() const {
  if (throughput()) return 0;
  Values least(at(graph_.positions()) + 1, Impossible);
  least.back() = 0;
  // A choice never ends before a choice that starts later, so positions from the end see final values.
  std::vector<std::vector<const Choice*>> starts(least.size());
  for (const Choice& choice : graph_.choices()) starts[at(choice.position)].push_back(&choice);
  for (std::size_t position = least.size() - 1; position-- > 0;) {
    for (const Choice* choice : starts[position]) {
      const Primitive& cost = choice_cost(problem_, costs_, variant_, *choice);
      if (!cost.possible()) continue;
      const std::int64_t weight = request_.objective == Objective::Energy ? cost.energy : cost.mean;
      least[position] = std::min(least[position], add(times(weight, choice->share), least[at(choice->next_position)]));
    }
  }
  return least.front();
}

// Weights and bounds of all arcs.
void CaseSearch::fill(const Values& load_multipliers) {
  const std::size_t devices = problem_.devices.size();
  const auto weight_of = [&](const Primitive& cost, std::size_t resource) {
    if (throughput()) return times(cost.mean, load_multipliers[resource]);
    return request_.objective == Objective::Energy ? cost.energy : cost.mean;
  };
  Values choice_weight, choice_bound;
  choice_weight.reserve(graph_.choices().size());
  choice_bound.reserve(graph_.choices().size());
  for (const Choice& choice : graph_.choices()) {
    const Primitive& cost = choice_cost(problem_, costs_, variant_, choice);
    std::int64_t weight = Impossible;
    if (cost.possible() && throughput() && choice.tiling != Choice::None) {
      const TilingCost& tiling = costs_.tilings[at(choice.tiling) * devices + at(choice.device)];
      weight = 0;
      for (std::size_t resource = 0; resource < tiling.loads.size(); ++resource)
        weight = add(weight, times(tiling.loads[resource], load_multipliers[resource]));
    } else if (cost.possible()) {
      weight = weight_of(cost, at(choice.device));
    }
    choice_weight.push_back(times(weight, choice.share));
    choice_bound.push_back(cost.bound);
  }
  weights_.resize(graph_.arcs().size());
  bounds_.resize(graph_.arcs().size());
  for (std::size_t index = 0; index < graph_.arcs().size(); ++index) {
    const StateGraph::Arc& arc = graph_.arcs()[index];
    std::int64_t weight = choice_weight[arc.choice];
    std::int64_t bound = choice_bound[arc.choice];
    for (const std::uint32_t id : graph_.transfers(arc)) {
      const Primitive& cost = costs_.transfers[id];
      const int link = costs_.transfer_link[id % (devices * devices)];
      if (!cost.possible()) {
        weight = Impossible;
        bound = Impossible;
        break;
      }
      weight = add(weight, times(weight_of(cost, devices + at(std::max(link, 0))), graph_.choices()[arc.choice].share));
      bound = add(bound, cost.bound);
    }
    weights_[index] = weight;
    bounds_[index] = weight >= Impossible ? Impossible : bound;
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

// Lower bounds for latency and energy. True if nothing is left to search.
bool CaseSearch::relax_deadline(CaseResult& result) {
  const Values free = potentials(0, weights_);
  result.bound.lower_bound = free.front();
  if (free.front() >= beat_) return true;
  const std::vector<std::uint32_t> cheapest = path(free, 0, weights_);
  consider(cheapest);
  if (beat_ <= free.front()) return true;
  if (!request_.deadline) return false;
  time_potential_ = potentials(0, bounds_);
  if (time_potential_.front() > deadline()) {
    result.bound.deadline_multiplier = -1;
    result.bound.lower_bound = Impossible;
    return true;
  }
  Totals low = totals(cheapest);
  const std::vector<std::uint32_t> fastest = path(time_potential_, 0, bounds_);
  consider(fastest);
  Totals high = totals(fastest);
  for (int round = 0; round < DeadlineRounds && low.bound > deadline() && low.bound > high.bound; ++round) {
    // Rounded up: the bound falls slowly above the best multiplier, with the slack of `high`, and fast below it.
    const std::int64_t multiplier = (high.weight - low.weight + low.bound - high.bound - 1) / (low.bound - high.bound);
    if (multiplier <= 0) break;
    const Values potential = potentials(multiplier, weights_);
    const std::int64_t bound = potential.front() >= Impossible || deadline() > Impossible / multiplier
                                   ? 0
                                   : potential.front() - multiplier * deadline();
    if (bound > result.bound.lower_bound) {
      result.bound.lower_bound = bound;
      result.bound.deadline_multiplier = multiplier;
    }
    const std::vector<std::uint32_t> arcs = path(potential, multiplier, weights_);
    consider(arcs);
    if (arcs.empty() || bound >= beat_) break;
    Totals middle = totals(arcs);
    const bool feasible = middle.bound <= deadline();
    if (feasible ? middle.bound == high.bound : middle.bound == low.bound) break;
    (feasible ? high : low) = std::move(middle);
  }
  return result.bound.lower_bound >= beat_;
}

// Lower bounds for throughput: the largest load is at least every weighted mean of the loads.
void CaseSearch::relax_loads(CaseResult& result) {
  std::vector<double> shares(resources(), 1.0);
  for (int round = 0; round < LoadRounds; ++round) {
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    Values multipliers(resources());
    std::int64_t left = LoadMultiplierSum;
    for (std::size_t resource = 0; resource < multipliers.size(); ++resource) {
      multipliers[resource] =
          static_cast<std::int64_t>(shares[resource] / sum * static_cast<double>(LoadMultiplierSum));
      left -= multipliers[resource];
    }
    *std::max_element(multipliers.begin(), multipliers.end()) += left;
    fill(multipliers);
    const Values potential = potentials(0, weights_);
    const std::int64_t bound =
        potential.front() >= Impossible ? Impossible : (potential.front() + LoadMultiplierSum - 1) / LoadMultiplierSum;
    if (result.bound.load_multipliers.empty() || bound > result.bound.lower_bound) {
      result.bound.lower_bound = bound;
      result.bound.load_multipliers = multipliers;
    }
    const std::vector<std::uint32_t> arcs = path(potential, 0, weights_);
    consider(arcs);
    if (arcs.empty() || result.bound.lower_bound >= beat_) break;
    const Totals loads = totals(arcs);
    const auto largest = static_cast<double>(
        *std::max_element(loads.extra.begin(), loads.extra.begin() + static_cast<std::ptrdiff_t>(resources())));
    for (std::size_t resource = 0; resource < shares.size(); ++resource)
      shares[resource] *= 1.0 + (largest > 0 ? static_cast<double>(loads.extra[resource]) / largest : 0.0);
  }
  fill(result.bound.load_multipliers);
  time_potential_ = potentials(0, bounds_);
  if (request_.deadline && time_potential_.front() < Impossible) consider(path(time_potential_, 0, bounds_));
  if (time_potential_.front() > deadline()) {
    result.bound.deadline_multiplier = -1;
    result.bound.lower_bound = Impossible;
  }
}

CaseResult CaseSearch::run(std::int64_t beat, std::size_t labels) {
  CaseResult result;
  result.bound.variant = variant_;
  beat_ = beat;
  best_.reset();
  if (throughput()) {
    relax_loads(result);
    if (result.bound.lower_bound < beat_) close_gap(result, labels);
  } else {
    fill({});
    if (!relax_deadline(result)) close_gap(result, labels);
  }
  result.best = best_;
  return result;
}

}  // namespace espalier::plan

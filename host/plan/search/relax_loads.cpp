#include <algorithm>
#include <cmath>

#include "plan/search/case_search.hpp"
#include "plan/search/load_master.hpp"
#include "plan/search/multipliers.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr int LoadRounds = 48;      // paths that the linear program may get
constexpr std::size_t Crossed = 3;  // of its paths, the largest shares
constexpr int CrossRounds = 12;     // times that the best path is crossed with all others
constexpr double Converged = 1e-6;  // relative gap at which bounds are not tightened further

/// Integer multipliers whose loads have this sum; the price of time is in weighted grains.
LoadStart rounded(const LoadPrices& prices, std::int64_t sum, std::int64_t grain) {
  constexpr double MostTime = 1e12;
  const double time = prices.time * static_cast<double>(sum) / static_cast<double>(grain);
  return {in_proportion(prices.loads, sum), std::llround(std::min(time, MostTime))};
}

LoadStart rescaled(const LoadStart& start, std::int64_t sum) {
  const double factor = static_cast<double>(sum) / static_cast<double>(sum_of(start.loads));
  return {with_sum(start.loads, sum),
          std::llround(static_cast<double>(start.time) * factor)};
}

}  // namespace

/// A path with the totals of all its beginnings, to be cut and joined where it meets another.
struct CaseSearch::Track {
  std::vector<std::uint32_t> arcs;
  std::vector<std::size_t> states;   // one more than arcs
  std::vector<std::int64_t> totals;  // per state: time, then loads, then memories
};

/// From state `from` of one path to state `to` of another; the totals of the first path up to there and of the arc.
struct CaseSearch::Bridge {
  std::size_t from = 0, to = 0;
  std::optional<std::uint32_t> arc;
  std::vector<std::int64_t> totals;
};

CaseSearch::Track CaseSearch::track(const std::vector<std::uint32_t>& arcs) const {
  Track result{arcs, {0}, {}};
  Totals sum = totals({});
  const auto append = [&] {
    result.totals.push_back(sum.bound);
    result.totals.insert(result.totals.end(), sum.extra.begin(), sum.extra.end());
  };
  append();
  for (const std::uint32_t arc : arcs) {
    add_arc(arc, sum);
    append();
    result.states.push_back(graph_.arcs()[arc].to);
  }
  return result;
}

// Ways from one path to another: a state where both meet, or one arc from a state of the first to one of the second.
std::vector<CaseSearch::Bridge> CaseSearch::bridges(const Track& from, const Track& to) const {
  std::vector<Bridge> result;
  std::vector<std::int32_t> place(graph_.states(), -1);
  for (std::size_t index = 0; index < to.states.size(); ++index)
    place[to.states[index]] = static_cast<std::int32_t>(index);
  const std::size_t width = from.totals.size() / from.states.size();
  for (std::size_t index = 0; index < from.states.size(); ++index) {
    const std::size_t state = from.states[index];
    const auto append = [&](std::size_t reached, std::optional<std::uint32_t> arc) {
      Bridge bridge{index, static_cast<std::size_t>(place[reached]), arc, {}};
      bridge.totals.assign(from.totals.begin() + static_cast<std::ptrdiff_t>(index * width),
                           from.totals.begin() + static_cast<std::ptrdiff_t>((index + 1) * width));
      if (arc) {
        const Track step = track({*arc});
        for (std::size_t number = 0; number < width; ++number) bridge.totals[number] += step.totals[width + number];
      }
      result.push_back(std::move(bridge));
    };
    if (place[state] >= 0) append(state, std::nullopt);
    if (state + 1 == graph_.states()) break;
    for (std::uint32_t arc = graph_.first_arc()[state]; arc < graph_.first_arc()[state + 1]; ++arc) {
      const std::size_t reached = graph_.arcs()[arc].to;
      if (place[reached] >= 0 && arc != from.arcs[index] && weights_[arc] < Impossible) append(reached, arc);
    }
  }
  return result;
}

// The best of `one` with a stretch of `other`.
void CaseSearch::cross(const Track& one, const Track& other) {
  const std::vector<Bridge> there = bridges(one, other), back = bridges(other, one);
  const std::size_t width = one.totals.size() / one.states.size();
  const std::size_t loads = resources();
  const Bridge *best_there = nullptr, *best_back = nullptr;
  std::int64_t best = beat_;
  const std::int64_t* end = &one.totals[(one.states.size() - 1) * width];
  for (const Bridge& enter : there) {
    const std::int64_t* skipped = &other.totals[enter.to * width];
    for (const Bridge& leave : back) {
      if (leave.from < enter.to || leave.to < enter.from) continue;
      const std::int64_t* rest = &one.totals[leave.to * width];
      const auto joined = [&](std::size_t index) {
        return enter.totals[index] + leave.totals[index] - skipped[index] + end[index] - rest[index];
      };
      std::int64_t largest = 0;
      for (std::size_t index = 1; index <= loads && largest < best; ++index) largest = std::max(largest, joined(index));
      if (largest >= best || joined(0) > deadline()) continue;
      bool fits = true;
      for (std::size_t limited = 0; limited < limited_.size(); ++limited)
        fits = fits && joined(1 + loads + limited) <= problem_.devices[at(limited_[limited])].memory;
      if (!fits) continue;
      best = largest;
      best_there = &enter;
      best_back = &leave;
    }
  }
  if (best_there == nullptr) return;
  const auto offset = [](std::size_t index) { return static_cast<std::ptrdiff_t>(index); };
  std::vector<std::uint32_t> arcs(one.arcs.begin(), one.arcs.begin() + offset(best_there->from));
  if (best_there->arc) arcs.push_back(*best_there->arc);
  arcs.insert(arcs.end(), other.arcs.begin() + offset(best_there->to), other.arcs.begin() + offset(best_back->from));
  if (best_back->arc) arcs.push_back(*best_back->arc);
  arcs.insert(arcs.end(), one.arcs.begin() + offset(best_back->to), one.arcs.end());
  consider(arcs);
}

// Joins the paths that the linear program mixes, then the best path with all that are known.
void CaseSearch::cross_paths(const std::vector<std::vector<std::uint32_t>>& paths, const std::vector<std::size_t>& used,
                             std::int64_t enough) {
  std::vector<Track> tracks;
  const auto add = [&](const std::vector<std::uint32_t>& arcs) { tracks.push_back(track(arcs)); };
  for (std::size_t index = 0; index < used.size() && index < Crossed; ++index) add(paths[used[index]]);
  const std::size_t mixed = tracks.size();
  for (std::size_t one = 0; one < mixed; ++one)
    for (std::size_t other = 0; other < mixed; ++other)
      if (one != other && beat_ > enough) cross(tracks[one], tracks[other]);
  for (int round = 0; round < CrossRounds && best_ && beat_ > enough; ++round) {
    const std::int64_t before = beat_;
    const Track best = track(best_->arcs);
    for (const Track& other : tracks) cross(best, other);
    if (round == 0 && paths.size() > mixed)
      for (std::size_t path = 0; path < paths.size(); ++path)
        if (std::find(used.begin(), used.end(), path) == used.end()) {
          add(paths[path]);
          cross(best, tracks.back());
        }
    if (beat_ == before) break;
  }
}

// The lower bound that these multipliers give, kept if it is the best; true if it leaves nothing to search.
bool CaseSearch::price(const std::vector<std::int64_t>& loads, std::int64_t time, Values& potential) {
  fill(loads);
  potential = potentials(time, weights_);
  const std::int64_t allowance = time == 0 ? 0 : times(deadline(), time);
  const std::int64_t bound = load_bound(std::max<std::int64_t>(potential.front() - allowance, 0), sum_of(loads));
  if (bound_.load_multipliers.empty() || bound > bound_.lower_bound) {
    bound_.lower_bound = bound;
    bound_.load_multipliers = loads;
    bound_.deadline_multiplier = time;
  }
  return bound_.lower_bound >= beat_;
}

// Lower bounds for throughput: the largest load is at least every weighted mean of the loads, minus the slack of the
// deadline at its price.
void CaseSearch::relax_loads(const LoadStart& start) {
  time_potential_ = potentials(0, bounds_);
  if (time_potential_.front() > deadline() || time_potential_.front() >= Impossible) {
    bound_.load_multipliers.assign(resources(), 0);
    bound_.load_multipliers.front() = 1;
    bound_.deadline_multiplier = request_.deadline ? -1 : 0;
    bound_.lower_bound = Impossible;
    return;
  }
  const std::vector<std::uint32_t> fastest = path(time_potential_, 0, bounds_);
  Values potential;
  weights_.assign(bounds_.size(), 0);  // none yet
  const Totals first = totals(fastest);
  const auto loads_of = [&](const Totals& one) {
    return LoadMaster::Loads(one.extra.begin(), one.extra.begin() + static_cast<std::ptrdiff_t>(resources()));
  };
  const LoadMaster::Loads first_loads = loads_of(first);
  const std::int64_t sum = multiplier_sum(*std::max_element(first_loads.begin(), first_loads.end()) / grain_);
  LoadStart multipliers = rescaled(start, sum);
  if (price(multipliers.loads, multipliers.time, potential)) return;
  consider(fastest);
  std::vector<std::vector<std::uint32_t>> paths{fastest};
  LoadMaster master(first_loads, first.bound, request_.deadline);
  for (int round = 0; round < LoadRounds; ++round) {
    const std::vector<std::uint32_t> arcs = path(potential, multipliers.time, weights_);
    if (arcs.empty()) break;
    consider(arcs);
    const Totals reached = totals(arcs);
    paths.push_back(arcs);
    const bool changed = master.add(loads_of(reached), reached.bound);
    if (round > 0 && !changed) break;
    multipliers = rounded(master.prices(), sum, grain_);
    if (price(multipliers.loads, multipliers.time, potential)) return;
  }
  const auto enough = static_cast<std::int64_t>(static_cast<double>(bound_.lower_bound) * (1 + Converged));
  cross_paths(paths, master.used(), enough);
  fill(bound_.load_multipliers);
}

}  // namespace espalier::plan

// The halves that end at a state, as sidetracks from trees of cheap paths.
#include <algorithm>

#include "plan/search/halves.hpp"

namespace espalier::plan {

CaseSearch::Halves::Halves(CaseSearch& search, const LoadStart& multipliers)
    : search_(search), loads_(multipliers.loads), sum_(sum_of(multipliers.loads)) {
  const std::int64_t time_price = std::max<std::int64_t>(multipliers.time, 0);
  allowance_ = time_price == 0 ? 0 : times(search.deadline(), time_price);
  width_ = 1 + search.resources() + search.limited_.size();
  pivot_ = 1 + static_cast<std::size_t>(std::max_element(loads_.begin(), loads_.end()) - loads_.begin());
  costs_.resize(search.weights_.size());
  for (std::size_t arc = 0; arc < costs_.size(); ++arc)
    costs_[arc] = add(search.weights_[arc], times(search.bounds_[arc], time_price));
  arc_place_.assign(costs_.size(), -1);
  behind_.direction = Direction::Forward;
  behind_.least = search.potentials(0, costs_);
  behind_.time = search.time_potential_;
  before_.direction = Direction::Backward;
  relax_before();
  // The tree prefers short times among paths of nearly the same cost: most slack in everything that is not priced.
  constexpr std::int64_t TimeShare = 1024;
  const std::int64_t tilt = std::max<std::int64_t>(
      1, behind_.least.front() / TimeShare / std::max<std::int64_t>(search.time_potential_.front(), 1));
  grow_tree(behind_, tilt);
  grow_tree(before_, tilt);
}

// Least costs and times from the start. Beginnings stop at the first state that is not before the middle.
void CaseSearch::Halves::relax_before() {
  const StateGraph& graph = search_.graph_;
  before_.least.assign(graph.states(), Impossible);
  before_.time.assign(graph.states(), Impossible);
  before_.least.front() = before_.time.front() = 0;
  for (std::size_t state = 0; state < graph.middle(); ++state) {
    for (std::uint32_t arc = graph.first_arc()[state]; arc < graph.first_arc()[state + 1]; ++arc) {
      const std::size_t to = graph.arcs()[arc].to;
      before_.least[to] = std::min(before_.least[to], add(before_.least[state], costs_[arc]));
      before_.time[to] = std::min(before_.time[to], add(before_.time[state], search_.bounds_[arc]));
    }
  }
}

void CaseSearch::Halves::grow_tree(Side& side, std::int64_t time_price) const {
  const StateGraph& graph = search_.graph_;
  const bool forward = side.direction == Direction::Forward;
  side.tree.assign(graph.states(), NoArc);
  side.place.assign(graph.states(), -1);
  Values tilted(graph.states(), Impossible);
  tilted[forward ? graph.states() - 1 : 0] = 0;
  const auto improve = [&](std::size_t state, std::uint32_t arc, std::size_t other) {
    const std::int64_t cost = add(add(costs_[arc], times(search_.bounds_[arc], time_price)), tilted[other]);
    if (cost >= tilted[state]) return;
    tilted[state] = cost;
    side.tree[state] = arc;
  };
  const auto arcs = static_cast<std::uint32_t>(costs_.size());
  if (forward)
    for (std::uint32_t arc = arcs; arc-- > graph.first_arc()[graph.middle()];)
      improve(graph.arcs()[arc].from, arc, graph.arcs()[arc].to);
  else
    for (std::uint32_t arc = 0; arc < graph.first_arc()[graph.middle()]; ++arc)
      if (graph.arcs()[arc].to < graph.middle()) improve(graph.arcs()[arc].to, arc, graph.arcs()[arc].from);
}

const std::int64_t* CaseSearch::Halves::arc_totals(std::uint32_t arc) {
  if (arc_place_[arc] < 0) {
    arc_place_[arc] = static_cast<std::int32_t>(arc_table_.size());
    const Totals totals = search_.totals({arc});
    arc_table_.push_back(totals.bound);
    arc_table_.insert(arc_table_.end(), totals.extra.begin(), totals.extra.end());
  }
  return &arc_table_[static_cast<std::size_t>(arc_place_[arc])];
}

// Where the totals along the tree from a state are; those of the states further along are known first.
std::int32_t CaseSearch::Halves::tree_place(Side& side, std::uint32_t state) {
  if (side.place[state] >= 0) return side.place[state];
  const std::uint32_t arc = side.tree[state];
  const std::int32_t next = arc == NoArc ? -1 : tree_place(side, other_end(side, arc));
  const auto place = static_cast<std::int32_t>(side.tree_cost.size());
  side.totals.resize(side.totals.size() + width_, 0);
  side.tree_cost.push_back(arc == NoArc ? 0 : costs_[arc] + side.tree_cost[static_cast<std::size_t>(next)]);
  if (arc != NoArc) {
    const std::int64_t* step = arc_totals(arc);
    for (std::size_t index = 0; index < width_; ++index)
      side.totals[static_cast<std::size_t>(place) * width_ + index] =
          side.totals[static_cast<std::size_t>(next) * width_ + index] + step[index];
  }
  return side.place[state] = place;
}

// Adds a half whose totals up to its tree are given; false if there is no room.
bool CaseSearch::Halves::append(Side& side, List& list, const List::Half& half, const std::int64_t* before,
                                std::size_t most) {
  if (list.halves.size() >= most) {
    list.complete = false;
    return false;
  }
  const auto place = static_cast<std::size_t>(tree_place(side, half.state));
  list.halves.push_back(half);
  list.halves.back().whole = half.cost + side.tree_cost[place];
  const std::int64_t* tree = &side.totals[place * width_];
  for (std::size_t index = 0; index < width_; ++index) list.totals.push_back(before[index] + tree[index]);
  return true;
}

// Adds the halves that leave this one's tree once more.
void CaseSearch::Halves::expand(Side& side, List& list, std::size_t half, std::uint32_t meeting, std::size_t most) {
  const Side& other = &side == &behind_ ? before_ : behind_;
  const StateGraph& graph = search_.graph_;
  const std::int64_t cost_left = most_ - other.least[meeting];
  const std::int64_t time_left = limits_.front() - other.time[meeting];
  std::uint32_t state = list.halves[half].state;
  std::int64_t cost = list.halves[half].cost;
  const std::int64_t* tree = &side.totals[static_cast<std::size_t>(tree_place(side, state)) * width_];
  Values before(width_), after(width_);
  for (std::size_t index = 0; index < width_; ++index) before[index] = list.totals[half * width_ + index] - tree[index];
  const bool forward = side.direction == Direction::Forward;
  const std::vector<std::uint32_t>& first = forward ? graph.first_arc() : graph.first_into();
  while (side.tree[state] != NoArc) {
    for (std::uint32_t index = first[state]; index < first[state + 1]; ++index) {
      const std::uint32_t arc = forward ? index : graph.into()[index];
      if (arc == side.tree[state]) continue;
      const std::uint32_t reached = other_end(side, arc);
      const std::int64_t cost_there = cost + costs_[arc];
      if (cost_there + side.least[reached] > cost_left) continue;
      if (before.front() + search_.bounds_[arc] + side.time[reached] > time_left) continue;
      const std::int64_t* step = arc_totals(arc);
      bool fits = true;
      for (std::size_t number = 0; number < width_; ++number) {
        after[number] = before[number] + step[number];
        fits = fits && after[number] <= limits_[number];
      }
      if (fits &&
          !append(side, list, {static_cast<std::int32_t>(half), arc, reached, cost_there, 0}, after.data(), most))
        return;
    }
    const std::uint32_t arc = side.tree[state];
    const std::int64_t* step = arc_totals(arc);
    bool fits = true;
    for (std::size_t number = 0; number < width_; ++number) {
      before[number] += step[number];
      fits = fits && before[number] <= limits_[number];
    }
    cost += costs_[arc];
    state = other_end(side, arc);
    if (!fits || cost + side.least[state] > cost_left) return;
  }
}

CaseSearch::Halves::List CaseSearch::Halves::enumerate(Side& side, std::uint32_t meeting, std::size_t most) {
  List list;
  const Values nothing(width_, 0);
  if (side.direction == Direction::Forward) {
    append(side, list, {-1, NoArc, meeting, 0, 0}, nothing.data(), most);
  } else {
    const StateGraph& graph = search_.graph_;
    for (std::uint32_t index = graph.first_into()[meeting]; index < graph.first_into()[meeting + 1]; ++index) {
      const std::uint32_t arc = graph.into()[index];
      const std::uint32_t from = graph.arcs()[arc].from;
      if (from >= graph.middle() || costs_[arc] >= Impossible) continue;
      if (add(before_.least[from], costs_[arc]) > most_ - behind_.least[meeting]) continue;
      const std::int64_t* step = arc_totals(arc);
      append(side, list, {-1, arc, from, costs_[arc], 0}, Values(step, step + width_).data(), most);
    }
  }
  for (std::size_t half = 0; half < list.halves.size() && list.complete; ++half)
    expand(side, list, half, meeting, most);
  made_ += list.halves.size();
  return list;
}

// From where the halves meet outwards.
std::vector<std::uint32_t> CaseSearch::Halves::arcs_of(const Side& side, const List& list, std::size_t half) const {
  std::vector<std::size_t> chain;
  for (auto one = static_cast<std::int32_t>(half); one >= 0; one = list.halves[static_cast<std::size_t>(one)].parent)
    chain.push_back(static_cast<std::size_t>(one));
  std::reverse(chain.begin(), chain.end());
  std::vector<std::uint32_t> arcs;
  for (std::size_t index = 0; index < chain.size(); ++index) {
    const List::Half& one = list.halves[chain[index]];
    if (one.arc != NoArc) arcs.push_back(one.arc);
    // The tree is followed up to where the next half leaves it.
    const std::uint32_t leave = index + 1 < chain.size() ? list.halves[chain[index + 1]].arc : NoArc;
    std::uint32_t until = NoArc;
    if (leave != NoArc) {
      const StateGraph::Arc& arc = search_.graph_.arcs()[leave];
      until = side.direction == Direction::Forward ? arc.from : arc.to;
    }
    for (std::uint32_t state = one.state; state != until && side.tree[state] != NoArc;
         state = other_end(side, arcs.back()))
      arcs.push_back(side.tree[state]);
  }
  return arcs;
}

}  // namespace espalier::plan

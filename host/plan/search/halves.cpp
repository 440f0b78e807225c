// Plans of throughput as two halves that meet in the middle (Horowitz and Sahni, "Computing partitions with
// applications to the knapsack problem", JACM 1974). A plan below the value to beat has little slack against the
// relaxed bound, so few beginnings and ends can be part of one, and what an end must load follows from its beginning
// almost exactly: one search in a sorted list finds it.
//
// Halves are enumerated as sidetracks from a tree of cheap paths (Eppstein, "Finding the k shortest paths", SIAM J.
// Computing 1998), those with few sidetracks first. Every half is reached, whatever the tree.
#include <algorithm>
#include <limits>
#include <numeric>

#include "plan/search/case_search.hpp"
#include "plan/search/multipliers.hpp"

namespace espalier::plan {
namespace {

constexpr std::size_t FirstHalves = 256;  // of each side of a state, in the first round
constexpr std::size_t MoreHalves = 4;     // times as many in the next one
constexpr std::size_t TestsPerHalf = 64;  // pairs of a state that a round looks at, for each half it may make
constexpr std::uint32_t NoArc = std::numeric_limits<std::uint32_t>::max();

}  // namespace

class CaseSearch::Halves {
 public:
  Halves(CaseSearch& search, const LoadStart& multipliers);

  /// Plans below the value to beat, while `limit` halves allow it; true if none is left to find.
  bool match(std::int64_t enough, std::size_t limit);
  std::size_t made() const { return made_; }

 private:
  enum class Direction { Forward, Backward };
  /// From a state to the end, or from the start to it.
  struct Side {
    Direction direction = Direction::Forward;
    Values least;                     // priced cost, per state
    Values time;                      // least time, per state
    std::vector<std::uint32_t> tree;  // the arc of a cheap path, per state
    std::vector<std::int32_t> place;  // of the state's totals along the tree, or -1
    std::vector<std::int64_t> totals;
    Values tree_cost;  // priced, by place
  };
  /// Halves that end at one state. A half is another one up to some state, an arc that the tree does not take there,
  /// and the tree from where that arc leads.
  struct List {
    struct Half {
      std::int32_t parent = -1;
      std::uint32_t arc = NoArc;
      std::uint32_t state = 0;  // where the tree begins
      std::int64_t cost = 0;    // priced, up to there
      std::int64_t whole = 0;   // priced, of all
    };
    std::vector<Half> halves;
    std::vector<std::int64_t> totals;  // width() per half
    bool complete = true;
  };

  std::size_t width() const { return width_; }
  std::uint32_t other_end(const Side& side, std::uint32_t arc) const {
    const StateGraph::Arc& one = search_.graph_.arcs()[arc];
    return side.direction == Direction::Forward ? one.to : one.from;
  }
  void relax_before();
  void grow_tree(Side& side, std::int64_t time_price) const;
  const std::int64_t* arc_totals(std::uint32_t arc);
  std::int32_t tree_place(Side& side, std::uint32_t state);
  void set_limits();
  bool append(Side& side, List& list, const List::Half& half, const std::int64_t* before, std::size_t most);
  void expand(Side& side, List& list, std::size_t half, std::uint32_t meeting, std::size_t most);
  List enumerate(Side& side, std::uint32_t meeting, std::size_t most);
  bool join(const List& begin, const List& end, std::int64_t enough, std::size_t tests);
  std::vector<std::uint32_t> sorted(const List& list) const;
  void take(const List& begin, std::size_t first, const List& end, std::size_t second);
  std::vector<std::uint32_t> arcs_of(const Side& side, const List& list, std::size_t half) const;

  CaseSearch& search_;
  Values loads_;  // multipliers
  std::int64_t sum_ = 1;
  std::int64_t allowance_ = 0;
  std::size_t width_ = 0;
  std::size_t pivot_ = 0;         // the total that halves are sorted by
  Values costs_;                  // priced, per arc
  Values limits_;                 // of the totals of a path that is better than what is known
  std::int64_t most_ = 0;         // priced cost of such a path
  Side behind_, before_;
  std::vector<std::int32_t> arc_place_;
  std::vector<std::int64_t> arc_table_;
  std::size_t made_ = 0;
};

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

void CaseSearch::Halves::set_limits() {
  const std::int64_t load = search_.below(search_.beat_);
  limits_.assign(width_, load);
  limits_.front() = std::min(search_.deadline(), Impossible - 1);
  for (std::size_t limited = 0; limited < search_.limited_.size(); ++limited)
    limits_[1 + search_.resources() + limited] =
        search_.problem_.devices[static_cast<std::size_t>(search_.limited_[limited])].memory;
  most_ = add(times(load / search_.grain_, sum_), allowance_);
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
      if (fits && !append(side, list, {static_cast<std::int32_t>(half), arc, reached, cost_there, 0}, after.data(), most))
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

// Halves within all limits, the least pivot first.
std::vector<std::uint32_t> CaseSearch::Halves::sorted(const List& list) const {
  std::vector<std::pair<std::int64_t, std::uint32_t>> order;
  for (std::uint32_t half = 0; half < list.halves.size(); ++half) {
    const std::int64_t* totals = &list.totals[half * width_];
    bool fits = true;
    for (std::size_t index = 0; index < width_; ++index) fits = fits && totals[index] <= limits_[index];
    if (fits) order.emplace_back(totals[pivot_], half);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> result;
  for (const auto& [load, half] : order) result.push_back(half);
  return result;
}

// The best pair; false if pairs are left that were not looked at.
bool CaseSearch::Halves::join(const List& begin, const List& end, std::int64_t enough, std::size_t tests) {
  const std::vector<std::uint32_t> first = sorted(begin), second = sorted(end);
  if (first.empty() || second.empty()) return true;
  std::int64_t least_end = Impossible;
  for (const std::uint32_t half : second) least_end = std::min(least_end, end.halves[half].whole);
  std::size_t fitting = second.size();  // those before it leave room for the pivot
  const std::int64_t price = std::max<std::int64_t>(loads_[pivot_ - 1], 1);
  for (const std::uint32_t one : first) {
    const std::int64_t* left = &begin.totals[one * width_];
    const auto room = [&] { return limits_[pivot_] - left[pivot_]; };
    while (fitting > 0 && end.totals[second[fitting - 1] * width_ + pivot_] > room()) --fitting;
    for (std::size_t index = fitting; index-- > 0;) {
      const std::int64_t* right = &end.totals[second[index] * width_];
      // What is left of the pivot's room costs its price, and all room together costs no more than the slack.
      const std::int64_t slack = most_ - begin.halves[one].whole - least_end;
      if (slack < 0 || (room() - right[pivot_]) / search_.grain_ > slack / price) break;
      if (tests-- == 0) return false;
      bool fits = true;
      for (std::size_t number = 0; number < width_ && fits; ++number)
        fits = left[number] + right[number] <= limits_[number];
      if (!fits) continue;
      take(begin, one, end, second[index]);
      if (search_.beat_ <= enough) return true;
      set_limits();
    }
  }
  return true;
}

void CaseSearch::Halves::take(const List& begin, std::size_t first, const List& end, std::size_t second) {
  std::vector<std::uint32_t> arcs = arcs_of(before_, begin, first);
  std::reverse(arcs.begin(), arcs.end());
  const std::vector<std::uint32_t> rest = arcs_of(behind_, end, second);
  arcs.insert(arcs.end(), rest.begin(), rest.end());
  search_.consider(arcs);
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

bool CaseSearch::Halves::match(std::int64_t enough, std::size_t limit) {
  const StateGraph& graph = search_.graph_;
  for (std::size_t most = FirstHalves;; most *= MoreHalves) {
    set_limits();
    bool complete = true;
    for (auto meeting = static_cast<std::uint32_t>(graph.middle()); meeting < graph.states(); ++meeting) {
      if (add(before_.least[meeting], behind_.least[meeting]) > most_) continue;
      const List begin = enumerate(before_, meeting, most);
      const List end = enumerate(behind_, meeting, most);
      complete = join(begin, end, enough, TestsPerHalf * most) && begin.complete && end.complete && complete;
      if (search_.beat_ <= enough) return true;
      if (made_ >= limit) return false;
    }
    if (complete) return true;
  }
}

// Closes the gap of throughput by halves, if they suffice.
std::size_t CaseSearch::match_halves(std::size_t limit) {
  Halves halves(*this, {bound_.load_multipliers, bound_.deadline_multiplier});
  if (halves.match(bound_.lower_bound, limit)) bound_.lower_bound = std::max(bound_.lower_bound, beat_);
  return halves.made();
}

}  // namespace espalier::plan

// Plans of throughput as two halves that meet in the middle (Horowitz and Sahni, "Computing partitions with
// applications to the knapsack problem", JACM 1974). A plan below the value to beat has little slack against the
// relaxed bound, so few beginnings and ends can be part of one, and what an end must load follows from its beginning
// almost exactly: one search in a sorted list finds it.
//
// Halves are enumerated as sidetracks from a tree of cheap paths (Eppstein, "Finding the k shortest paths", SIAM J.
// Computing 1998), those with few sidetracks first. Every half is reached, whatever the tree.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "plan/search/case_search.hpp"
#include "plan/search/multipliers.hpp"

namespace espalier::plan {

class CaseSearch::Halves {
 public:
  Halves(CaseSearch& search, const LoadStart& multipliers);

  /// Plans below the value to beat, while `limit` halves allow it; true if none is left to find.
  bool match(std::int64_t enough, std::size_t limit);
  std::size_t made() const { return made_; }

 private:
  static constexpr std::uint32_t NoArc = std::numeric_limits<std::uint32_t>::max();

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
    std::vector<std::int64_t> totals;  // width_ per half
    bool complete = true;
  };

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
  std::size_t pivot_ = 0;  // the total that halves are sorted by
  Values costs_;           // priced, per arc
  Values limits_;          // of the totals of a path that is better than what is known
  std::int64_t most_ = 0;  // priced cost of such a path
  Side behind_, before_;
  std::vector<std::int32_t> arc_place_;
  std::vector<std::int64_t> arc_table_;
  std::size_t made_ = 0;
};

}  // namespace espalier::plan

// The plans of one policy as paths through a graph of states. Links, loads and costs are not in it, so that it is built
// once and planned on again and again.
//
// A state says, for every tensor that a later layer reads, which device made it and which devices hold it. A choice
// runs one layer, a declared group or a declared tiling on a device; an arc is a choice in a state, with the transfers
// that it needs there. Every plan of the cost model is a path and every path is a plan.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/cost/problem.hpp"

namespace espalier::plan {

/// What runs next: layers first..last on a device; `tiling` is an index into Problem::tilings, `group` into
/// Problem::groups, or None.
struct Choice {
  static constexpr int None = -1;
  int first = 0, last = 0;
  int device = 0;
  int tiling = None;
  int group = None;
  int variant = None;     // a group holds for one variant only
  int position = 0;       // in the order of needed layers, before it
  int next_position = 0;  // after it
  BasisPoints share = 0;  // of samples that get here
};

class StateGraph {
 public:
  /// Throws Error (Unsupported) if more than a million states arise: branches of the network are too many.
  StateGraph(const Problem& problem, const Policy& policy);

  struct Arc {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t choice = 0;
    std::uint32_t first_transfer = 0;
    std::uint32_t transfer_count = 0;
  };
  /// States are numbered in topological order; 0 is the start, the last is the end.
  std::size_t states() const { return first_arc_.size() - 1; }
  const std::vector<Arc>& arcs() const { return arcs_; }
  const std::vector<std::uint32_t>& first_arc() const { return first_arc_; }
  /// Arcs by the state they lead to: those into a state are from first_into()[state] on.
  const std::vector<std::uint32_t>& into() const { return into_; }
  const std::vector<std::uint32_t>& first_into() const { return first_into_; }
  /// A state with about half of the layers behind it: every path has one arc from a state before it to it or a later.
  std::size_t middle() const { return middle_; }
  const std::vector<Choice>& choices() const { return choices_; }
  /// Divides every share of a choice, so every load of a plan.
  std::int64_t grain() const { return grain_; }
  int positions() const { return positions_; }
  /// Choices by position, the last first.
  const std::vector<std::uint32_t>& late_first() const { return late_first_; }
  /// Transfers of an arc as indices (tensor + 1, from, to) of a table with devices x devices entries per tensor.
  std::span<const std::uint32_t> transfers(const Arc& arc) const {
    return std::span(transfers_).subspan(arc.first_transfer, arc.transfer_count);
  }

 private:
  std::vector<Arc> arcs_;                 // by state
  std::vector<std::uint32_t> first_arc_;  // per state, and the end
  std::vector<std::uint32_t> into_;
  std::vector<std::uint32_t> first_into_;  // per state, and the end
  std::size_t middle_ = 0;
  std::vector<std::uint32_t> transfers_;
  std::vector<Choice> choices_;
  std::vector<std::uint32_t> late_first_;
  std::int64_t grain_ = 1;
  int positions_ = 0;
  friend class StateGraphBuilder;
};

}  // namespace espalier::plan

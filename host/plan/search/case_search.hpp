// The exact search of one case: one policy in one variant.
//
// Shortest paths through the state graph give the best plan without a deadline. With one, Lagrangian relaxation (the
// multiplier search of LARAC, Juttner et al., INFOCOM 2001) bounds it from below, and labels with dominance, cut off by
// those bounds, close the gap (Handler and Zang, Networks 1980). Throughput relaxes max(loads) to weighted sums of
// loads, whose weights come from a linear program over the paths found so far; halves.hpp closes the gap.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "plan/cost/plan_data.hpp"
#include "plan/search/case_costs.hpp"
#include "plan/search/multipliers.hpp"
#include "plan/search/state_graph.hpp"

namespace espalier::plan {

/// A path as its arcs.
struct Found {
  std::int64_t value = Impossible;
  std::vector<std::uint32_t> arcs;
};

struct CaseResult {
  Certificate::Case bound;
  std::optional<Found> best;  // better than the value to beat
  std::size_t labels = 0;     // or halves that were made
};

class CaseSearch {
 public:
  CaseSearch(const Problem& problem, const Request& request, const StateGraph& graph, const VariantCosts& costs,
             int variant);

  /// A lower bound from the cheapest choices without transfers, which need not be known; fast. Throughput weighs loads
  /// with those of the start.
  std::int64_t quick_bound(const LoadStart& start) const;
  /// Bounds from multipliers, and the paths found on the way. It starts from multipliers that were good for a similar
  /// case.
  CaseResult relax(std::int64_t beat, const LoadStart& start);
  /// After relax(), with a value to beat that is not above the one then: closes the gap with at most `labels` labels or
  /// halves.
  CaseResult close(std::int64_t beat, std::size_t labels);

  /// Multipliers to start from where no case was searched: as if every device had the same share of the work.
  LoadStart even_start() const;

 private:
  class Halves;
  using Values = std::vector<std::int64_t>;

  std::int64_t load_bound(std::int64_t weight, std::int64_t sum) const;
  void fill_bounds();
  void fill(const std::vector<std::int64_t>& load_multipliers);
  std::int64_t largest_load(const Choice& choice) const;
  std::int64_t choice_weight(const Choice& choice, const std::vector<std::int64_t>& load_multipliers) const;
  Values potentials(std::int64_t deadline_multiplier, const Values& weights) const;
  std::vector<std::uint32_t> path(const Values& potential, std::int64_t deadline_multiplier,
                                  const Values& weights) const;
  struct Totals {
    std::int64_t weight = 0;  // of `weights_`
    std::int64_t bound = 0;
    std::vector<std::int64_t> extra;  // loads, then weights in the limited memories
  };
  Totals totals(const std::vector<std::uint32_t>& arcs) const;
  void consider(const std::vector<std::uint32_t>& arcs);
  void add_arc(std::uint32_t arc, Totals& totals) const;
  void relax_deadline(std::int64_t start);
  Values price_deadline(std::int64_t multiplier);
  void relax_loads(const LoadStart& start);
  bool price(const Values& loads, std::int64_t time, Values& potential);
  std::size_t match_halves(std::size_t limit);
  std::size_t close_gap(std::size_t labels);
  std::int64_t value_of(const Totals& totals) const;
  std::int64_t below(std::int64_t value) const { return (value - 1) / grain_ * grain_; }
  bool throughput() const { return request_.objective == Objective::Throughput; }
  std::int64_t deadline() const { return request_.deadline.value_or(Impossible); }
  std::size_t resources() const { return problem_.devices.size() + problem_.links.size(); }

  const Problem& problem_;
  const Request& request_;
  const StateGraph& graph_;
  const VariantCosts& costs_;
  int variant_;
  std::int64_t grain_;  // divides all loads
  Values weights_;      // per arc: the objective, or the weighted loads in grains
  Values bounds_;       // per arc: time against the deadline
  Values time_potential_;
  Certificate::Case bound_;
  std::vector<int> limited_;  // devices whose memory can run out
  std::int64_t beat_ = Impossible;
  std::optional<Found> best_;
};

}  // namespace espalier::plan

#include <algorithm>

#include "plan/search/case_search.hpp"
#include "plan/search/multipliers.hpp"

namespace espalier::plan {
namespace {

/// Beginnings of paths. The numbers of a label lie together: objective, time, then loads and memories.
class Labels {
 public:
  explicit Labels(std::size_t width) : width_(width) {}
  std::size_t size() const { return arcs_.size(); }
  const std::int64_t* numbers(std::int32_t label) const { return &numbers_[static_cast<std::size_t>(label) * width_]; }
  std::int32_t add(const std::vector<std::int64_t>& numbers, std::uint32_t arc, std::int32_t before) {
    numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
    arcs_.push_back(arc);
    before_.push_back(before);
    return static_cast<std::int32_t>(arcs_.size()) - 1;
  }
  /// Whether one is at most the other in every number.
  bool beats(const std::int64_t* one, const std::int64_t* other) const {
    for (std::size_t index = 0; index < width_; ++index)
      if (one[index] > other[index]) return false;
    return true;
  }
  std::vector<std::uint32_t> path(std::int32_t label) const {
    std::vector<std::uint32_t> arcs;
    for (; label > 0; label = before_[static_cast<std::size_t>(label)])
      arcs.push_back(arcs_[static_cast<std::size_t>(label)]);
    std::reverse(arcs.begin(), arcs.end());
    return arcs;
  }

 private:
  std::size_t width_;
  std::vector<std::int64_t> numbers_;
  std::vector<std::uint32_t> arcs_;   // the last one
  std::vector<std::int32_t> before_;  // the label it extends
};

}  // namespace

// Labels state by state; a label that another one equals or beats in everything is dropped, and so is one that the
// bounds show to end at or above the value to beat. If the labels do not suffice, the bound stays as it was.
std::size_t CaseSearch::close_gap(std::size_t limit) {
  const std::int64_t multiplier = std::max<std::int64_t>(bound_.deadline_multiplier, 0);
  const Values potential = potentials(multiplier, weights_);
  if (time_potential_.empty()) time_potential_.assign(graph_.states(), 0);
  const std::int64_t scale = throughput() ? sum_of(bound_.load_multipliers) : 1;
  const std::int64_t allowance = multiplier == 0 ? 0 : times(deadline(), multiplier);
  Totals next = totals({});
  std::vector<std::int64_t> numbers(2 + next.extra.size(), 0);
  Labels labels(numbers.size());
  std::vector<std::vector<std::int32_t>> at_state(graph_.states());
  at_state[0].push_back(labels.add(numbers, 0, -1));

  const auto hopeless = [&](const Totals& totals, std::size_t state) {
    if (potential[state] >= Impossible || add(totals.bound, time_potential_[state]) > deadline()) return true;
    const std::int64_t end = add(add(totals.weight, times(totals.bound, multiplier)), potential[state]);
    const std::int64_t most = (beat_ - 1) / grain_;  // of the weighted loads, in grains
    if (most < Impossible / scale && end - allowance > most * scale) return true;
    return value_of(totals) >= beat_;
  };
  for (std::size_t state = 0; state + 1 < graph_.states(); ++state) {
    for (const std::int32_t from : at_state[state]) {
      for (std::uint32_t index = graph_.first_arc()[state]; index < graph_.first_arc()[state + 1]; ++index) {
        if (weights_[index] >= Impossible) continue;
        const std::int64_t* before = labels.numbers(from);
        next.weight = before[0];
        next.bound = before[1];
        std::copy_n(before + 2, next.extra.size(), next.extra.begin());
        add_arc(index, next);
        const std::size_t to = graph_.arcs()[index].to;
        if (hopeless(next, to)) continue;
        numbers[0] = next.weight;
        numbers[1] = next.bound;
        std::copy(next.extra.begin(), next.extra.end(), numbers.begin() + 2);
        std::vector<std::int32_t>& others = at_state[to];
        if (std::any_of(others.begin(), others.end(),
                        [&](std::int32_t other) { return labels.beats(labels.numbers(other), numbers.data()); }))
          continue;
        std::erase_if(others, [&](std::int32_t other) { return labels.beats(numbers.data(), labels.numbers(other)); });
        if (labels.size() >= limit) {
          return labels.size();
        }
        others.push_back(labels.add(numbers, index, from));
        if (to + 1 == graph_.states()) consider(labels.path(others.back()));
      }
    }
  }
  bound_.lower_bound = std::max(bound_.lower_bound, beat_);
  return labels.size();
}

}  // namespace espalier::plan

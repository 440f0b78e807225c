#include <algorithm>

#include "plan/search/case_search.hpp"

namespace espalier::plan {

/// The beginning of a path.
struct CaseSearch::Label {
  Totals totals;
  std::uint32_t arc = 0;     // the last one
  std::int32_t before = -1;  // the label it extends
};

// Labels state by state; a label that another one equals or beats in everything is dropped, and so is one that the
// bounds show to end at or above the value to beat. If the labels do not suffice, the bound stays as it was.
void CaseSearch::close_gap(CaseResult& result, std::size_t limit) {
  const std::int64_t multiplier = std::max<std::int64_t>(result.bound.deadline_multiplier, 0);
  const Values potential = potentials(multiplier, weights_);
  if (time_potential_.empty()) time_potential_.assign(graph_.states(), 0);
  const std::int64_t scale = throughput() ? LoadMultiplierSum : 1;
  std::vector<Label> labels;
  std::vector<std::vector<std::int32_t>> at_state(graph_.states());
  labels.push_back({totals({}), 0, -1});
  at_state[0].push_back(0);

  const auto hopeless = [&](const Totals& totals, std::size_t state) {
    if (potential[state] >= Impossible || add(totals.bound, time_potential_[state]) > deadline()) return true;
    if (value_of(totals) >= beat_) return true;
    const std::int64_t end = add(add(totals.weight, times(totals.bound, multiplier)), potential[state]);
    const std::int64_t allowance = multiplier == 0 ? 0 : times(deadline(), multiplier);
    return beat_ < Impossible / scale && end - allowance > (beat_ - 1) * scale;
  };
  const auto beats = [](const Totals& one, const Totals& other) {
    if (one.weight > other.weight || one.bound > other.bound) return false;
    for (std::size_t index = 0; index < one.extra.size(); ++index)
      if (one.extra[index] > other.extra[index]) return false;
    return true;
  };

  for (std::size_t state = 0; state + 1 < graph_.states(); ++state) {
    for (const std::int32_t from : at_state[state]) {
      for (std::uint32_t index = graph_.first_arc()[state]; index < graph_.first_arc()[state + 1]; ++index) {
        if (weights_[index] >= Impossible) continue;
        Label next{labels[static_cast<std::size_t>(from)].totals, index, from};
        add_arc(index, next.totals);
        const std::size_t to = graph_.arcs()[index].to;
        if (hopeless(next.totals, to)) continue;
        std::vector<std::int32_t>& others = at_state[to];
        if (std::any_of(others.begin(), others.end(), [&](std::int32_t other) {
              return beats(labels[static_cast<std::size_t>(other)].totals, next.totals);
            }))
          continue;
        std::erase_if(others, [&](std::int32_t other) {
          return beats(next.totals, labels[static_cast<std::size_t>(other)].totals);
        });
        if (labels.size() >= limit) return;
        others.push_back(static_cast<std::int32_t>(labels.size()));
        labels.push_back(std::move(next));
        if (to + 1 == graph_.states()) {
          std::vector<std::uint32_t> arcs;
          for (auto label = static_cast<std::int32_t>(labels.size()) - 1; label > 0;
               label = labels[static_cast<std::size_t>(label)].before)
            arcs.push_back(labels[static_cast<std::size_t>(label)].arc);
          std::reverse(arcs.begin(), arcs.end());
          consider(arcs);
        }
      }
    }
  }
  result.bound.lower_bound = std::max(result.bound.lower_bound, beat_);
}

}  // namespace espalier::plan

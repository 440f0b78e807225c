#include "plan/search/halves.hpp"

#include <algorithm>

namespace espalier::plan {
namespace {

constexpr std::size_t FirstHalves = 256;  // of each side of a state, in the first round
constexpr std::size_t MoreHalves = 4;     // times as many in the next one
constexpr std::size_t TestsPerHalf = 64;  // pairs of a state that a round looks at, for each half it may make

}  // namespace

void CaseSearch::Halves::set_limits() {
  const std::int64_t load = search_.below(search_.beat_);
  limits_.assign(width_, load);
  limits_.front() = std::min(search_.deadline(), Impossible - 1);
  for (std::size_t limited = 0; limited < search_.limited_.size(); ++limited)
    limits_[1 + search_.resources() + limited] =
        search_.problem_.devices[static_cast<std::size_t>(search_.limited_[limited])].memory;
  most_ = add(times(load / search_.grain_, sum_), allowance_);
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

bool CaseSearch::Halves::match(std::int64_t enough, std::size_t limit) {
  const StateGraph& graph = search_.graph_;
  for (std::size_t most = FirstHalves;; most *= MoreHalves) {
    set_limits();
    if (most_ >= Impossible) return false;  // what saturates cannot be compared
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

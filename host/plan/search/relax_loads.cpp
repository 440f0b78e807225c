#include <algorithm>
#include <cmath>

#include "plan/search/case_search.hpp"
#include "plan/search/load_master.hpp"
#include "plan/search/multipliers.hpp"

namespace espalier::plan {
namespace {

constexpr int LoadRounds = 48;  // paths that the linear program may get

/// A price of time at which the whole deadline costs so little that sums with it do not saturate.
std::int64_t time_price(double price, std::int64_t deadline) {
  constexpr std::int64_t Room = 16;
  return std::llround(std::min(price, static_cast<double>(Impossible / Room / std::max<std::int64_t>(deadline, 1))));
}

/// Integer multipliers whose loads have this sum; the price of time is in weighted grains.
LoadStart rounded(const LoadPrices& prices, std::int64_t sum, std::int64_t grain, std::int64_t deadline) {
  const double time = prices.time * static_cast<double>(sum) / static_cast<double>(grain);
  return {in_proportion(prices.loads, sum), time_price(time, deadline)};
}

LoadStart rescaled(const LoadStart& start, std::int64_t sum, std::int64_t deadline) {
  const double factor = static_cast<double>(sum) / static_cast<double>(sum_of(start.loads));
  return {with_sum(start.loads, sum), time_price(static_cast<double>(start.time) * factor, deadline)};
}

}  // namespace

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
  LoadStart multipliers = rescaled(start, sum, deadline());
  if (price(multipliers.loads, multipliers.time, potential)) return;
  consider(fastest);
  LoadMaster master(first_loads, first.bound, request_.deadline);
  for (int round = 0; round < LoadRounds; ++round) {
    const std::vector<std::uint32_t> arcs = path(potential, multipliers.time, weights_);
    if (arcs.empty()) break;
    consider(arcs);
    const Totals reached = totals(arcs);
    const bool changed = master.add(loads_of(reached), reached.bound);
    if (round > 0 && !changed) break;
    multipliers = rounded(master.prices(), sum, grain_, deadline());
    if (price(multipliers.loads, multipliers.time, potential)) return;
  }
  fill(bound_.load_multipliers);
}

}  // namespace espalier::plan

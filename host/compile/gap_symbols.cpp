#include "compile/gap_symbols.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "compile/gap_ranges.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {
namespace {

/// Distances that are tried as the unit of the step table: below this one, the best few of them.
constexpr unsigned UnitLimit = 8192;
constexpr std::size_t UnitsTried = 2;
/// Rare keys that are looked at to find the distances.
constexpr std::size_t UnitSample = 128;
/// Keys that are frequent enough for symbols of their own.
constexpr std::size_t FrequentKeys = 64;

/// Prices of symbols are found to this accuracy.
constexpr double PriceRatio = 1.08;

bool idle(GapKey key) { return (key >> GapValidBit & 1U) == 0; }

/// The keys, idle ones first, which have no range of gaps and so stand alone; then the frequent ones.
std::vector<GapCount> by_frequency(const std::map<GapKey, std::uint64_t>& counts) {
  std::vector<GapCount> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const GapCount& a, const GapCount& b) {
    if (idle(a.first) != idle(b.first)) return idle(a.first);
    return a.second > b.second;
  });
  return order;
}

class Chooser {
 public:
  Chooser(const std::map<GapKey, std::uint64_t>& counts, const GapLimits& limits)
      : limits_(limits), order_(by_frequency(counts)) {
    for (const auto& [key, count] : order_) {
      total_ += static_cast<double>(count);
      if (idle(key)) ++idles_;
    }
    best_total_ = std::numeric_limits<double>::infinity();
  }

  GapSymbols run() {
    if (order_.size() <= std::min(limits_.most, limits_.values)) {
      choose(order_.size(), 1);
      return std::move(best_);
    }
    constexpr std::array Shares{0.0, 0.3, 0.6, 0.85, 1.0};
    std::optional<std::size_t> before;
    for (const double share : Shares) {
      const auto places = static_cast<double>(limits_.most - std::min(limits_.most, idles_ + 2));
      const std::size_t alone = std::min(order_.size(), idles_ + static_cast<std::size_t>(share * places));
      if (alone == before) continue;
      before = alone;
      choose(alone, 1);
      for (const unsigned unit : limits_.units) choose(alone, unit);
    }
    return std::move(best_);
  }

 private:
  /// The first `alone` keys one by one, the others in ranges.
  void choose(std::size_t alone, unsigned unit) {
    const auto at = order_.begin() + static_cast<std::ptrdiff_t>(alone);
    const GapRanges ranges({at, order_.end()}, unit, total_, limits_.cost);
    const auto fits = [&](double price) { return solve(alone, ranges, price); };
    if (!fits(0)) {
      double low = 0.5, high = 16 * total_ + 1;
      if (!fits(high)) return;
      while (high > PriceRatio * low) {
        const double price = std::sqrt(low * high);
        (fits(price) ? high : low) = price;
      }
    }
    fits(limits_.entry_bits);
  }

  /// Whether the symbols at this price are few enough. They may be the best ones.
  bool solve(std::size_t alone, const GapRanges& ranges, double price) {
    std::vector<GapCut> cuts = ranges.cut(price);
    std::optional<GapRanges> single;
    std::vector<GapCut> single_cuts;
    if (ranges.unit() > 1) {
      std::vector<GapCount> keys = take_single_keys(ranges, cuts);
      if (cuts.size() + alone > limits_.most) return false;
      single.emplace(std::move(keys), 1, total_, limits_.cost);
      single_cuts = single->cut(price);
    }
    if (single_cuts.size() + cuts.size() + alone > limits_.most) return false;
    double bits = 0;  // of the stream
    std::size_t steps = 0;
    const auto add = [&](std::uint64_t count, unsigned extra) {
      bits += symbol_bits(static_cast<double>(count), extra, total_, limits_.cost);
    };
    for (const GapCut& cut : single_cuts) add(cut.count, cut.extra);
    for (const GapCut& cut : cuts) {
      add(cut.count, cut.extra);
      if (ranges.unit() > 1) steps = std::max(steps, std::size_t{1} << cut.extra);
    }
    for (std::size_t i = 0; i < alone; ++i) add(order_[i].second, 0);
    const std::size_t symbols = single_cuts.size() + cuts.size() + alone;
    const double total = bits + limits_.entry_bits * static_cast<double>(std::max(symbols, limits_.values) + steps);
    if (total >= best_total_) return true;
    best_total_ = total;
    best_ = {};
    best_.unit = cuts.empty() ? 1 : ranges.unit();
    best_.steps = steps;
    for (const GapCut& cut : single_cuts) best_.symbols.push_back(single->symbol(cut));
    for (const GapCut& cut : cuts) best_.symbols.push_back(ranges.symbol(cut));
    for (std::size_t i = 0; i < alone; ++i) {
      best_.symbols.push_back({order_[i].first, 0, 1, order_[i].second, {order_[i].first}});
    }
    return true;
  }

  /// Takes the cuts of one key each out: keys that stand alone among the steps may share ranges of neighbours.
  static std::vector<GapCount> take_single_keys(const GapRanges& ranges, std::vector<GapCut>& cuts) {
    std::vector<GapCount> single;
    std::size_t kept = 0;
    for (const GapCut& cut : cuts) {
      if (cut.extra == 0) {
        single.push_back(ranges.key(cut.first));
      } else {
        cuts[kept++] = cut;
      }
    }
    cuts.resize(kept);
    return single;
  }

  const GapLimits& limits_;
  std::vector<GapCount> order_;
  double total_ = 0;
  std::size_t idles_ = 0;
  GapSymbols best_;
  double best_total_ = 0;  // bits of its stream and table
};

}  // namespace

std::vector<unsigned> gap_units(const std::map<GapKey, std::uint64_t>& counts) {
  const std::vector<GapCount> order = by_frequency(counts);
  if (order.size() <= FrequentKeys) return {};
  const std::size_t stride = (order.size() - FrequentKeys) / UnitSample + 1;
  std::vector<GapKey> rare;
  for (std::size_t i = FrequentKeys; i < order.size(); i += stride) rare.push_back(order[i].first);
  std::vector<std::pair<std::size_t, unsigned>> best(UnitsTried, {rare.size() + 1, 0});
  std::vector<std::uint16_t> seen(std::size_t{1} << 19, 0);  // by flags and range; the last distance that has it
  for (unsigned unit = 2; unit < UnitLimit; ++unit) {
    std::size_t count = 0;
    for (const GapKey key : rare) {
      if (count >= best.back().first) break;
      const unsigned gap = (key + 32768U) % 65536U;  // from the least one
      const unsigned range = gap / unit / abi::CodeSteps * unit + gap % unit;
      std::uint16_t& last = seen[(key >> GapValidBit) << 17 | range];
      if (last != unit) ++count;
      last = static_cast<std::uint16_t>(unit);
    }
    if (count >= best.back().first) continue;
    best.back() = {count, unit};
    std::sort(best.begin(), best.end());
  }
  std::vector<unsigned> units;
  for (const auto& [count, unit] : best) units.push_back(unit);
  return units;
}

GapSymbols choose_gap_symbols(const std::map<GapKey, std::uint64_t>& counts, const GapLimits& limits) {
  return Chooser(counts, limits).run();
}

}  // namespace espalier::compile

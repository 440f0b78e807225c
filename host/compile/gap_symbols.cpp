#include "compile/gap_symbols.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
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

/// Symbols with what they cost.
struct Solution {
  GapSymbols chosen;
  double bits = 0;   // of the stream
  double total = 0;  // and of the table
};

class Chooser {
 public:
  Chooser(const std::map<GapKey, std::uint64_t>& counts, const GapLimits& limits)
      : limits_(limits), order_(by_frequency(counts)) {
    for (const auto& [key, count] : order_) {
      total_ += static_cast<double>(count);
      if (idle(key)) ++idles_;
    }
    best_.total = std::numeric_limits<double>::infinity();
  }

  GapSymbols run() {
    if (order_.size() <= std::min(limits_.most, limits_.values)) {
      choose(order_.size(), 1);
      return std::move(best_.chosen);
    }
    constexpr std::array Shares{0.0, 0.3, 0.6, 0.85, 1.0};
    for (const double share : Shares) {
      const auto places = static_cast<double>(limits_.most - std::min(limits_.most, idles_ + 2));
      const std::size_t alone = std::min(order_.size(), idles_ + static_cast<std::size_t>(share * places));
      choose(alone, 1);
      for (const unsigned unit : limits_.units) choose(alone, unit);
    }
    return std::move(best_.chosen);
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
    Solution solution;
    GapSymbols& chosen = solution.chosen;
    chosen.symbols = ranges.cut(price);
    if (ranges.unit() > 1) cut_single_keys(chosen, price);
    if (chosen.symbols.size() + alone > limits_.most) return false;
    for (std::size_t i = 0; i < alone; ++i) {
      chosen.symbols.push_back({order_[i].first, 0, 1, order_[i].second, {order_[i].first}});
    }
    for (const GapSymbol& symbol : chosen.symbols) {
      solution.bits += symbol_bits(static_cast<double>(symbol.count), symbol.extra, total_, limits_.cost);
      if (symbol.unit == 1) continue;
      chosen.unit = symbol.unit;
      chosen.steps = std::max(chosen.steps, std::size_t{1} << symbol.extra);
    }
    const std::size_t entries = std::max(chosen.symbols.size(), limits_.values) + chosen.steps;
    solution.total = solution.bits + limits_.entry_bits * static_cast<double>(entries);
    if (solution.total < best_.total) best_ = std::move(solution);
    return true;
  }

  /// Keys that stand alone among the steps may share ranges of neighbours.
  void cut_single_keys(GapSymbols& chosen, double price) const {
    std::vector<GapCount> single;
    std::vector<GapSymbol> shared;
    for (GapSymbol& symbol : chosen.symbols) {
      if (symbol.extra == 0) {
        single.emplace_back(symbol.first, symbol.count);
      } else {
        shared.push_back(std::move(symbol));
      }
    }
    chosen.symbols = GapRanges(single, 1, total_, limits_.cost).cut(price);
    std::move(shared.begin(), shared.end(), std::back_inserter(chosen.symbols));
  }

  const GapLimits& limits_;
  std::vector<GapCount> order_;
  double total_ = 0;
  std::size_t idles_ = 0;
  Solution best_;
};

}  // namespace

std::vector<unsigned> gap_units(const std::map<GapKey, std::uint64_t>& counts) {
  const std::vector<GapCount> order = by_frequency(counts);
  if (order.size() <= FrequentKeys) return {};
  const std::size_t stride = (order.size() - FrequentKeys) / UnitSample + 1;
  std::vector<GapKey> rare;
  for (std::size_t i = FrequentKeys; i < order.size(); i += stride) rare.push_back(order[i].first);
  std::vector<std::pair<std::size_t, unsigned>> ranges;
  std::vector<std::uint16_t> seen(std::size_t{1} << 19, 0);  // by flags and range; the last distance that has it
  for (unsigned unit = 2; unit < UnitLimit; ++unit) {
    std::size_t count = 0;
    for (const GapKey key : rare) {
      const unsigned gap = (key + 32768U) % 65536U;  // from the least one
      const unsigned range = gap / unit / abi::CodeSteps * unit + gap % unit;
      std::uint16_t& last = seen[(key >> GapValidBit) << 17 | range];
      if (last != unit) ++count;
      last = static_cast<std::uint16_t>(unit);
    }
    ranges.emplace_back(count, unit);
  }
  std::partial_sort(ranges.begin(), ranges.begin() + UnitsTried, ranges.end());
  std::vector<unsigned> units;
  for (std::size_t i = 0; i < UnitsTried; ++i) units.push_back(ranges[i].second);
  return units;
}

GapSymbols choose_gap_symbols(const std::map<GapKey, std::uint64_t>& counts, const GapLimits& limits) {
  return Chooser(counts, limits).run();
}

}  // namespace espalier::compile

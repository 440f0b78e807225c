#include "compile/gap_ranges.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include "esp_abi.hpp"

namespace espalier::compile {

namespace {

/// Logarithms of small numbers of uses, which most keys have.
double log2_of(double uses) {
  static const std::vector<double> Table = [] {
    std::vector<double> table(1 << 12);
    for (std::size_t i = 1; i < table.size(); ++i) table[i] = std::log2(static_cast<double>(i));
    return table;
  }();
  const auto index = static_cast<std::size_t>(uses);
  return index < Table.size() ? Table[index] : std::log2(uses);
}

}  // namespace

double symbol_bits(double uses, unsigned extra, double total, SymbolCost cost) {
  return uses * (extra + (cost == SymbolCost::Entropy ? log2_of(total) - log2_of(uses) : 0.0));
}

GapRanges::GapRanges(std::vector<GapCount> keys, unsigned unit, double total, SymbolCost cost)
    : keys_(std::move(keys)), unit_(unit), total_(total), cost_(cost), sums_(keys_.size() + 1) {
  std::sort(keys_.begin(), keys_.end(), [this](const GapCount& a, const GapCount& b) {
    const Place left = place_of(a.first), right = place_of(b.first);
    return std::tie(left.residue, left.place) < std::tie(right.residue, right.place);
  });
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    places_.push_back(place_of(keys_[i].first));
    sums_[i + 1] = sums_[i] + keys_[i].second;
  }
  const unsigned most = unit == 1 ? MostExtra : static_cast<unsigned>(std::countr_zero(abi::CodeSteps));
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    starts_.push_back(static_cast<std::uint32_t>(reaches_.size()));
    std::size_t last = i;
    for (unsigned extra = 0; extra <= most; ++extra) {
      const auto within = [&](const Place& place) {
        return place.residue == places_[i].residue && place.place - places_[i].place < 1 << extra;
      };
      const auto from = places_.begin() + static_cast<std::ptrdiff_t>(std::max(last, i + 1));
      const auto end = static_cast<std::size_t>(std::partition_point(from, places_.end(), within) - places_.begin());
      if (end == last) continue;
      last = end;
      reaches_.push_back({static_cast<std::uint32_t>(end),
                          symbol_bits(static_cast<double>(sums_[end] - sums_[i]), extra, total_, cost_)});
    }
  }
  starts_.push_back(static_cast<std::uint32_t>(reaches_.size()));
}

GapRanges::Place GapRanges::place_of(GapKey key) const {
  const int gap = static_cast<std::int16_t>(key);
  const int unit = static_cast<int>(unit_);
  const int place = (gap - (gap < 0 ? unit - 1 : 0)) / unit;
  return {(key >> GapValidBit) << 16 | static_cast<std::uint32_t>(gap - place * unit), place};
}

GapSymbol GapRanges::symbol(std::size_t first, std::size_t last) const {
  GapSymbol symbol;
  symbol.first = keys_[first].first;
  symbol.extra =
      static_cast<unsigned>(std::bit_width(static_cast<unsigned>(places_[last - 1].place - places_[first].place)));
  symbol.unit = symbol.extra == 0 ? 1 : unit_;
  symbol.count = sums_[last] - sums_[first];
  for (std::size_t i = first; i < last; ++i) symbol.keys.push_back(keys_[i].first);
  return symbol;
}

std::vector<GapSymbol> GapRanges::cut(double price) const {
  const std::size_t count = keys_.size();
  std::vector<double> best(count + 1, 0);  // bits and prices from this key on
  std::vector<std::uint32_t> next(count);
  for (std::size_t i = count; i-- > 0;) {
    best[i] = std::numeric_limits<double>::infinity();
    for (std::uint32_t r = starts_[i]; r < starts_[i + 1]; ++r) {
      const double bits = reaches_[r].bits + price + best[reaches_[r].end];
      if (bits >= best[i]) continue;
      best[i] = bits;
      next[i] = reaches_[r].end;
    }
  }
  std::vector<GapSymbol> symbols;
  for (std::size_t i = 0; i < count; i = next[i]) symbols.push_back(symbol(i, next[i]));
  return symbols;
}

}  // namespace espalier::compile

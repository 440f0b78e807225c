#include "compile/gap_ranges.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>

#include "esp_abi.hpp"

namespace espalier::compile {

double symbol_bits(double uses, unsigned extra, double total, SymbolCost cost) {
  return uses * (extra + (cost == SymbolCost::Entropy ? std::log2(total / uses) : 0.0));
}

GapRanges::GapRanges(std::vector<GapCount> keys, unsigned unit, double total, SymbolCost cost)
    : keys_(std::move(keys)), unit_(unit), total_(total), cost_(cost), sums_(keys_.size() + 1), ends_(keys_.size()) {
  std::sort(keys_.begin(), keys_.end(), [this](const GapCount& a, const GapCount& b) {
    const Place left = place_of(a.first), right = place_of(b.first);
    return std::tie(left.residue, left.place) < std::tie(right.residue, right.place);
  });
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    places_.push_back(place_of(keys_[i].first));
    sums_[i + 1] = sums_[i] + keys_[i].second;
  }
  const unsigned most = unit == 1 ? MostExtra : static_cast<unsigned>(std::countr_zero(abi::CodeSteps));
  for (unsigned extra = 0; extra <= MostExtra; ++extra) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      end = std::max(end, i + 1);
      while (end < keys_.size() && places_[end].residue == places_[i].residue &&
             places_[end].place - places_[i].place < 1 << std::min(extra, most)) {
        ++end;
      }
      ends_[i][extra] = static_cast<std::uint32_t>(end);
    }
  }
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
    for (unsigned extra = 0; extra <= MostExtra; ++extra) {
      const std::uint32_t end = ends_[i][extra];
      if (extra > 0 && end == ends_[i][extra - 1]) continue;
      const auto uses = static_cast<double>(sums_[end] - sums_[i]);
      const double bits = symbol_bits(uses, extra, total_, cost_) + price + best[end];
      if (bits >= best[i]) continue;
      best[i] = bits;
      next[i] = end;
    }
  }
  std::vector<GapSymbol> symbols;
  for (std::size_t i = 0; i < count; i = next[i]) symbols.push_back(symbol(i, next[i]));
  return symbols;
}

}  // namespace espalier::compile

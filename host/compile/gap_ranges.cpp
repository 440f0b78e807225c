#include "compile/gap_ranges.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

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
  std::vector<std::pair<Place, GapCount>> order;
  order.reserve(keys_.size());
  for (const GapCount& key : keys_) order.emplace_back(place_of(key.first), key);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.residue, a.first.place) < std::tie(b.first.residue, b.first.place);
  });
  places_.reserve(keys_.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    places_.push_back(order[i].first);
    keys_[i] = order[i].second;
    sums_[i + 1] = sums_[i] + keys_[i].second;
  }
  const unsigned most = unit == 1 ? MostExtra : static_cast<unsigned>(std::countr_zero(abi::CodeSteps));
  std::array<std::size_t, MostExtra + 1> ends{};  // by extra bits; never falls from key to key
  std::size_t class_end = 0;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    starts_.push_back(static_cast<std::uint32_t>(reaches_.size()));
    while (class_end < keys_.size() && (class_end <= i || places_[class_end].residue == places_[i].residue))
      ++class_end;
    std::size_t last = i;
    for (unsigned extra = 0; extra <= most && last < class_end; ++extra) {
      std::size_t& end = ends[extra];
      end = std::max({end, last, i + 1});
      while (end < class_end && places_[end].place - places_[i].place < 1 << extra) ++end;
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

GapSymbol GapRanges::symbol(const GapCut& cut) const {
  GapSymbol symbol;
  symbol.first = keys_[cut.first].first;
  symbol.extra = cut.extra;
  symbol.unit = cut.extra == 0 ? 1 : unit_;
  symbol.count = cut.count;
  for (std::size_t i = cut.first; i < cut.last; ++i) symbol.keys.push_back(keys_[i].first);
  return symbol;
}

std::vector<GapCut> GapRanges::cut(double price) const {
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
  std::vector<GapCut> cuts;
  for (std::uint32_t i = 0; i < count; i = next[i]) {
    const auto distance = static_cast<unsigned>(places_[next[i] - 1].place - places_[i].place);
    cuts.push_back({i, next[i], static_cast<unsigned>(std::bit_width(distance)), sums_[next[i]] - sums_[i]});
  }
  return cuts;
}

}  // namespace espalier::compile

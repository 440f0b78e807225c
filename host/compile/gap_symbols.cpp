#include "compile/gap_symbols.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace espalier::compile {
namespace {

using Count = std::pair<GapKey, std::uint64_t>;

constexpr double TableBits = 32;  // of an entry of the code table
constexpr unsigned GapBits = GapValidBit;
constexpr int PriceSteps = 24;

bool idle(GapKey key) { return (key >> GapValidBit & 1U) == 0; }

/// The cheapest cut of the tree of all gaps into ranges.
class RangeTree {
 public:
  RangeTree(std::vector<Count> rest, double total, SymbolCost cost)
      : rest_(std::move(rest)), total_(total), cost_(cost) {}

  struct Cut {
    std::vector<GapSymbol> symbols;
    double bits = 0;  // without the price
  };

  /// Each symbol costs `price` bits more.
  Cut cut(double price) const {
    Cut result;
    for (std::size_t first = 0; first < rest_.size();) {
      const GapKey flags = rest_[first].first >> GapBits;
      std::size_t last = first;
      while (last < rest_.size() && rest_[last].first >> GapBits == flags) ++last;
      best({&rest_[first], last - first}, GapBits, price, result);
      first = last;
    }
    return result;
  }

 private:
  double bits_of(std::uint64_t count, unsigned extra) const {
    const auto uses = static_cast<double>(count);
    return uses * (extra + (cost_ == SymbolCost::Entropy ? std::log2(total_ / uses) : 0.0));
  }

  static GapSymbol merged(std::span<const Count> keys, unsigned extra) {
    GapSymbol symbol{keys.front().first >> extra << extra, extra, 0, {}};
    for (const auto& [key, count] : keys) {
      symbol.count += count;
      symbol.keys.push_back(key);
    }
    return symbol;
  }

  /// Appends the best cut of keys that agree in all but their low `extra` bits; returns its cost.
  double best(std::span<const Count> keys, unsigned extra, double price, Cut& cut) const {
    // A narrower range is never worse.
    while (extra > 0 && keys.front().first >> (extra - 1) == keys.back().first >> (extra - 1)) --extra;
    std::uint64_t count = 0;
    for (const Count& key : keys) count += key.second;
    const double together = bits_of(count, extra);
    if (extra == 0) {
      cut.symbols.push_back(merged(keys, 0));
      cut.bits += together;
      return together + price;
    }
    const GapKey middle = keys.back().first >> (extra - 1) << (extra - 1);
    const auto half = static_cast<std::size_t>(
        std::lower_bound(keys.begin(), keys.end(), middle, [](const Count& c, GapKey k) { return c.first < k; }) -
        keys.begin());
    const std::size_t symbols = cut.symbols.size();
    const double bits = cut.bits;
    const double apart =
        best(keys.first(half), extra - 1, price, cut) + best(keys.subspan(half), extra - 1, price, cut);
    if (apart < together + price) return apart;
    cut.symbols.resize(symbols);
    cut.symbols.push_back(merged(keys, extra));
    cut.bits = bits + together;
    return together + price;
  }

  std::vector<Count> rest_;
  double total_;
  SymbolCost cost_;
};

/// The cheapest cut into at most `most` symbols.
RangeTree::Cut limited_cut(const RangeTree& tree, std::size_t most) {
  RangeTree::Cut best = tree.cut(TableBits);
  if (best.symbols.size() <= most) return best;
  double low = TableBits, high = TableBits * 2;
  while (tree.cut(high).symbols.size() > most) high *= 8;
  for (int i = 0; i < PriceSteps; ++i) {
    const double price = std::sqrt(low * high);
    (tree.cut(price).symbols.size() > most ? low : high) = price;
    if (high < 1.02 * low) break;
  }
  return tree.cut(high);
}

}  // namespace

std::vector<GapSymbol> choose_gap_symbols(const std::map<GapKey, std::uint64_t>& counts, std::size_t most,
                                          SymbolCost cost) {
  std::vector<Count> order(counts.begin(), counts.end());
  // Idle symbols have no range of gaps, so they stand alone; then the frequent ones.
  std::stable_sort(order.begin(), order.end(), [](const Count& a, const Count& b) {
    if (idle(a.first) != idle(b.first)) return idle(a.first);
    return a.second > b.second;
  });
  double total = 0;
  std::size_t idles = 0;
  for (const auto& [key, count] : order) {
    total += static_cast<double>(count);
    if (idle(key)) ++idles;
  }
  std::vector<GapSymbol> best;
  double best_bits = std::numeric_limits<double>::infinity();
  constexpr std::array Shares{0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0};
  for (const double share : Shares) {
    const std::size_t alone = std::min(
        order.size(), idles + static_cast<std::size_t>(share * static_cast<double>(most - std::min(most, idles + 2))));
    std::vector<Count> rest(order.begin() + static_cast<std::ptrdiff_t>(alone), order.end());
    std::sort(rest.begin(), rest.end());
    RangeTree::Cut cut = limited_cut(RangeTree(std::move(rest), total, cost), most - alone);
    double bits = cut.bits + TableBits * static_cast<double>(cut.symbols.size() + alone);
    for (std::size_t i = 0; i < alone; ++i) {
      const auto uses = static_cast<double>(order[i].second);
      if (cost == SymbolCost::Entropy) bits += uses * std::log2(total / uses);
      cut.symbols.push_back({order[i].first, 0, order[i].second, {order[i].first}});
    }
    if (bits >= best_bits) continue;
    best_bits = bits;
    best = std::move(cut.symbols);
  }
  return best;
}

}  // namespace espalier::compile

#include "compile/gap_symbols.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace espalier::compile {
namespace {

using Count = std::pair<GapKey, std::uint64_t>;

constexpr double TableBits = 32;  // of an entry of the code table
constexpr unsigned GapBits = GapValidBit;

bool idle(GapKey key) { return (key >> GapValidBit & 1U) == 0; }

/// Cuts of the tree of all gaps into ranges.
class RangeTree {
 public:
  /// `keys` are sorted; `total`: of all keys, these and others.
  RangeTree(std::vector<Count> keys, double total, SymbolCost cost)
      : keys_(std::move(keys)), sums_(keys_.size() + 1), total_(total), cost_(cost) {
    for (std::size_t i = 0; i < keys_.size(); ++i) sums_[i + 1] = sums_[i] + keys_[i].second;
  }

  struct Size {
    double cost = 0;  // bits and prices
    double bits = 0;
    std::size_t symbols = 0;
  };

  /// The cheapest cut if each symbol costs `price` bits more.
  Size size(double price) const {
    Size sum;
    for_each_root([&](Node root) { add(sum, best(root, price)); });
    return sum;
  }
  std::vector<GapSymbol> symbols(double price) const {
    std::vector<GapSymbol> result;
    for_each_root([&](Node root) { append(root, price, result); });
    return result;
  }

 private:
  /// Keys [first, last) that agree in all but their low `extra` bits.
  struct Node {
    std::size_t first = 0, last = 0;
    unsigned extra = GapBits;
  };

  static void add(Size& sum, const Size& size) {
    sum.cost += size.cost;
    sum.bits += size.bits;
    sum.symbols += size.symbols;
  }

  template <typename Visit>
  void for_each_root(Visit&& visit) const {
    for (std::size_t first = 0; first < keys_.size();) {
      const GapKey flags = keys_[first].first >> GapBits;
      std::size_t last = first;
      while (last < keys_.size() && keys_[last].first >> GapBits == flags) ++last;
      visit(narrowed({first, last, GapBits}));
      first = last;
    }
  }

  /// A narrower range is never worse.
  Node narrowed(Node node) const {
    const GapKey differ = keys_[node.first].first ^ keys_[node.last - 1].first;
    node.extra = static_cast<unsigned>(std::bit_width(differ));
    return node;
  }

  std::pair<Node, Node> halves(const Node& node) const {
    const GapKey middle = keys_[node.last - 1].first >> (node.extra - 1) << (node.extra - 1);
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(node.first);
    const auto end = keys_.begin() + static_cast<std::ptrdiff_t>(node.last);
    const auto half = std::lower_bound(begin, end, middle, [](const Count& c, GapKey k) { return c.first < k; });
    const auto at = static_cast<std::size_t>(half - keys_.begin());
    return {narrowed({node.first, at, 0}), narrowed({at, node.last, 0})};
  }

  double bits_of(const Node& node) const {
    const auto uses = static_cast<double>(sums_[node.last] - sums_[node.first]);
    return uses * (node.extra + (cost_ == SymbolCost::Entropy ? std::log2(total_ / uses) : 0.0));
  }

  Size best(const Node& node, double price) const {
    const double bits = bits_of(node);
    const Size together{bits + price, bits, 1};
    if (node.extra == 0) return together;
    const auto [low, high] = halves(node);
    Size apart = best(low, price);
    add(apart, best(high, price));
    return apart.cost < together.cost ? apart : together;
  }

  void append(const Node& node, double price, std::vector<GapSymbol>& symbols) const {
    if (best(node, price).symbols > 1) {
      const auto [low, high] = halves(node);
      append(low, price, symbols);
      append(high, price, symbols);
      return;
    }
    GapSymbol& symbol = symbols.emplace_back();
    symbol.first = keys_[node.first].first >> node.extra << node.extra;
    symbol.extra = node.extra;
    symbol.count = sums_[node.last] - sums_[node.first];
    for (std::size_t i = node.first; i < node.last; ++i) symbol.keys.push_back(keys_[i].first);
  }

  std::vector<Count> keys_;
  std::vector<std::uint64_t> sums_;  // of the keys before
  double total_;
  SymbolCost cost_;
};

/// The least price at which the cut has at most `most` symbols, nearly.
double price_of(const RangeTree& tree, std::size_t most) {
  if (tree.size(TableBits).symbols <= most) return TableBits;
  double low = TableBits, high = TableBits * 8;
  while (tree.size(high).symbols > most) {
    low = high;
    high *= 8;
  }
  while (high > 1.03 * low) {
    const double price = std::sqrt(low * high);
    (tree.size(price).symbols > most ? low : high) = price;
  }
  return high;
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
  constexpr std::array Shares{0.0, 0.5, 0.75, 0.9, 1.0};
  for (const double share : Shares) {
    const std::size_t alone = std::min(
        order.size(), idles + static_cast<std::size_t>(share * static_cast<double>(most - std::min(most, idles + 2))));
    std::vector<Count> rest(order.begin() + static_cast<std::ptrdiff_t>(alone), order.end());
    std::sort(rest.begin(), rest.end());
    const RangeTree tree(std::move(rest), total, cost);
    const double price = price_of(tree, most - alone);
    const RangeTree::Size size = tree.size(price);
    double bits = size.bits + TableBits * static_cast<double>(size.symbols + alone);
    for (std::size_t i = 0; i < alone && cost == SymbolCost::Entropy; ++i) {
      const auto uses = static_cast<double>(order[i].second);
      bits += uses * std::log2(total / uses);
    }
    if (bits >= best_bits) continue;
    best_bits = bits;
    best = tree.symbols(price);
    for (std::size_t i = 0; i < alone; ++i) {
      best.push_back({order[i].first, 0, order[i].second, {order[i].first}});
    }
  }
  return best;
}

}  // namespace espalier::compile

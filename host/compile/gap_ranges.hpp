// Ranges of gaps of equal distances, cut by dynamic programming.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "compile/gap_symbols.hpp"

namespace espalier::compile {

using GapCount = std::pair<GapKey, std::uint64_t>;

/// Bits of all uses of a symbol with so many extra bits; `total`: uses of all symbols.
double symbol_bits(double uses, unsigned extra, double total, SymbolCost cost);

/// Neighbours [first, last) that share a symbol.
struct GapCut {
  std::uint32_t first = 0, last = 0;
  unsigned extra = 0;
  std::uint64_t count = 0;  // uses
};

/// Keys in the order of their flags, of their gap modulo a unit and of their gap. Neighbours may share a symbol.
class GapRanges {
 public:
  /// `total`: uses of all keys, these and others.
  GapRanges(std::vector<GapCount> keys, unsigned unit, double total, SymbolCost cost);

  unsigned unit() const { return unit_; }

  /// The cheapest symbols, of whole ranges, if each costs `price` bits more.
  std::vector<GapCut> cut(double price) const;

  GapSymbol symbol(const GapCut& cut) const;
  const GapCount& key(std::size_t index) const { return keys_[index]; }

 private:
  static constexpr unsigned MostExtra = 16;

  /// Where a key lies: `place` units behind the start of its class.
  struct Place {
    std::uint32_t residue = 0;  // class: flags and remainder
    int place = 0;
  };

  Place place_of(GapKey key) const;

  std::vector<GapCount> keys_;
  unsigned unit_;
  double total_;
  SymbolCost cost_;
  std::vector<Place> places_;
  std::vector<std::uint64_t> sums_;  // uses of the keys before
  /// A range from a key on, as far as its extra bits reach.
  struct Reach {
    std::uint32_t end = 0;  // the first key that it cannot have
    double bits = 0;        // of its symbol
  };

  /// Longer ranges of one key each, [starts_[i], starts_[i + 1]) of those of key i.
  std::vector<Reach> reaches_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace espalier::compile

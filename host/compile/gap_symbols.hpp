// Which gaps of a weight stream get a symbol of their own, and which share one and are told apart by extra bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace espalier::compile {

/// What a lane's entry is to the one before: the gap between their addresses and the flags, as a number.
using GapKey = std::uint32_t;

constexpr unsigned GapValidBit = 16, GapLastBit = 17;

/// Keys of the same flags whose gaps are first + n * unit (modulo 2^16), n of `extra` bits, or those of them that no
/// other symbol has.
struct GapSymbol {
  GapKey first = 0;
  unsigned extra = 0;
  unsigned unit = 1;  // 1, or that of the step table
  std::uint64_t count = 0;
  std::vector<GapKey> keys;  // that are used
};

/// Symbols, and the unit of the step table if one of them needs it.
struct GapSymbols {
  std::vector<GapSymbol> symbols;
  unsigned unit = 1;
  std::size_t steps = 0;  // entries of the step table in use
};

/// What a symbol costs besides its extra bits.
enum class SymbolCost {
  Same,     // as many bits as any other
  Entropy,  // the logarithm of its share
};

/// The symbols to choose from, and their price.
struct GapLimits {
  std::vector<unsigned> units;  // that the steps may have, see gap_units()
  std::size_t most = 256;       // symbols, at least 4
  std::size_t values = 0;       // value symbols: so many entries of the code table are there in any case
  double entry_bits = 32;       // bits of the stream that an entry of the code table is worth
  SymbolCost cost = SymbolCost::Entropy;
};

/// Distances at which the rare keys take few ranges of the step table's size, the best first.
std::vector<unsigned> gap_units(const std::map<GapKey, std::uint64_t>& counts);

/// Symbols that cover all keys at few bits, those of the table included: the frequent keys one by one, the others in
/// ranges, chosen by dynamic programming with a price for each symbol (a Lagrange multiplier for their number).
/// Addresses of planes lie a pitch apart, so that a range of gaps is mostly empty; the unit of the step table is the
/// distance at which the rare gaps take the fewest ranges.
GapSymbols choose_gap_symbols(const std::map<GapKey, std::uint64_t>& counts, const GapLimits& limits);

}  // namespace espalier::compile

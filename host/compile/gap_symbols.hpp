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

/// The keys [first, first + 2^extra), which differ in their gaps only, or those of them that no other symbol has.
struct GapSymbol {
  GapKey first = 0;
  unsigned extra = 0;
  std::uint64_t count = 0;
  std::vector<GapKey> keys;  // that are used
};

/// What a symbol costs besides its extra bits.
enum class SymbolCost {
  Same,     // as many bits as any other
  Entropy,  // the logarithm of its share
};

/// At most `most` symbols (at least 4) that cover all keys at few bits: the frequent keys one by one, the others in
/// aligned ranges, chosen from the binary tree of all gaps by dynamic programming with a price for each symbol.
std::vector<GapSymbol> choose_gap_symbols(const std::map<GapKey, std::uint64_t>& counts, std::size_t most,
                                          SymbolCost cost);

}  // namespace espalier::compile

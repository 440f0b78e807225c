// Length-limited Huffman codes in canonical form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace espalier::compile {

/// Lengths, 1..limit, of a prefix code that codes symbols of these counts (none 0) in the fewest bits: package-merge
/// (Larmore and Hirschberg, 1990). At least one symbol, at most 2^limit; a single one has length 1.
std::vector<unsigned> code_lengths(std::span<const std::uint64_t> counts, unsigned limit);

/// Zero-order entropy of symbols of these counts, all of them together.
double entropy_bits(std::span<const std::uint64_t> counts);

}  // namespace espalier::compile

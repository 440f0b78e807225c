// Codes for the weight streams of a step, and the streams in them (esp_code.hpp reads them).
//
//   SymbolCounts counts;
//   const std::vector<GapKey> keys = gap_keys(entries, lanes);   // K entries for each slot
//   counts.add(entries, keys);
//   const WeightCode code = fixed_code(counts);
//   const std::vector<std::uint8_t> bytes = encode_slots(code, entries, keys, lanes);
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "compile/gap_symbols.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// The gap symbols of slots, K entries each, lane 0 first. An idle entry stays at its lane's address.
std::vector<GapKey> gap_keys(std::span<const abi::Entry> entries, unsigned lanes);

/// How often each symbol is needed.
struct SymbolCounts {
  std::map<GapKey, std::uint64_t> gaps;
  std::array<std::uint64_t, 256> values{};  // of valid entries, by weight + 128
  double table_reads = 1;                   // of the code table, for each time that the streams are read

  void add(std::span<const abi::Entry> entries, std::span<const GapKey> keys);
  std::uint64_t value_count() const;
  double entropy_bits() const;
};

/// Bits of a symbol, the first one most significant.
struct CodeWord {
  std::uint32_t bits = 0;
  unsigned length = 0;
};

/// The code of a gap symbol, and how many of the gap's low bits follow it.
struct GapWord {
  CodeWord word;
  std::uint16_t first = 0;
  unsigned extra = 0;
  unsigned unit = 1;  // the extra bits are (gap - first) / unit
};

/// A code table and what follows from it.
struct WeightCode {
  unsigned format = abi::FormatFixed;
  unsigned gap_bits = 0;  // fields of OpWeight
  unsigned value_bits = 0;
  std::vector<abi::Symbol> symbols;
  std::vector<std::uint16_t> gap_steps;  // the step table
  std::array<abi::CodeLength, abi::CodeMaxLength> gap_lengths{}, value_lengths{};
  std::unordered_map<GapKey, GapWord> gaps;  // of every counted key
  std::array<CodeWord, 256> values{};        // by weight + 128
  double bits = 0;                           // of all counted symbols

  /// Steps of a slot.
  unsigned steps() const { return value_bits == abi::ValueHuffman ? 2 : 1; }
  /// Entries for the code table, from entry table_first() on.
  std::vector<std::uint32_t> table() const;
  unsigned table_first() const;
};

/// The best code with symbols of fixed width that is found.
WeightCode fixed_code(const SymbolCounts& counts);
/// The best Huffman code for gaps that is found; for values too, or else of fixed width, which takes at most 16 values.
/// Bytes of the table count, unless they are what it takes to come within a few percent of the entropy.
std::optional<WeightCode> huffman_code(const SymbolCounts& counts, bool code_values);

/// A stream of whole slots, in 32-bit words. Every symbol was counted for the code.
std::vector<std::uint8_t> encode_slots(const WeightCode& code, std::span<const abi::Entry> entries,
                                       std::span<const GapKey> keys, unsigned lanes);

/// Entry of the code table where a table without steps starts; it wraps to the symbols.
inline constexpr unsigned CodeTableFirst = abi::CodeGapLengths;

}  // namespace espalier::compile

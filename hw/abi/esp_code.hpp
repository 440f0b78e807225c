// Coded weight streams as the contract defines them: the code table, and the rounds in which lanes read their slots.
//
//   CodeReader reader(command, bytes, table, lanes);
//   std::vector<Entry> slot(lanes);
//   while (!reader.ended()) {
//     if (reader.round(slot).slot) ... slot is the next item ...
//   }
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::abi {

/// What OpWeight of FormatCode writes.
struct CodeTable {
  using Lengths = std::array<CodeLength, CodeMaxLength>;  // of codes of index + 1 bits

  std::array<Symbol, CodeSymbols> symbols{};
  std::array<std::uint16_t, CodeSteps> steps{};
  Lengths gap{}, value{};

  /// Addresses count modulo CodeDepth; entries that are not used are dropped.
  void write(std::uint32_t address, std::uint32_t bits) {
    address %= CodeDepth;
    if (address < CodeSymbols) symbols[address] = decode_symbol(bits);
    if (address <= CodeStepZero && address + CodeSteps > CodeStepZero) {
      steps[CodeStepZero - address] = decode_symbol(bits).gap;
    }
    write_length(gap, address, CodeGapLengths, bits);
    write_length(value, address, CodeValueLengths, bits);
  }

 private:
  static void write_length(Lengths& lengths, std::uint32_t address, std::uint32_t first, std::uint32_t bits) {
    if (address >= first && address < first + CodeMaxLength) lengths[address - first] = decode_code_length(bits);
  }
};

/// What one round deals and decodes.
struct CodeRound {
  std::uint8_t words = 0;  // that lanes want; the stream may have fewer left
  bool slot = false;       // a slot is complete
};

/// The lanes that read a coded stream.
class CodeReader {
 public:
  /// `bytes`: the beats of the run. The table is that at the start of the command.
  CodeReader(const Command& command, std::span<const std::uint8_t> bytes, const CodeTable& table, unsigned lanes)
      : bytes_(bytes),
        table_(table),
        huffman_(command.format == FormatHuffman),
        two_steps_(huffman_ && command.value_bits == ValueHuffman),
        gap_bits_(command.gap_bits),
        value_bits_(two_steps_ ? 0 : command.value_bits),
        items_(command.items),
        lanes_(lanes) {}

  bool ended() const {
    const bool dry = next_ == bytes_.size() / 4 && prime_ == LaneWords - 1 && !second_ &&
                     std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.count == 0; });
    return items_ == 0 || dry;
  }

  /// The next round; `slot`: an entry per lane, complete if the round says so.
  CodeRound round(std::span<Entry> slot) {
    CodeRound result;
    for (Lane& lane : lanes_) {
      if (lane.count > prime_) continue;
      ++result.words;
      if (next_ < bytes_.size() / 4) lane.words[lane.count++] = word(next_++);
    }
    if (prime_ < LaneWords - 1) {
      ++prime_;
      return result;
    }
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      if (second_) {
        read_value_code(lanes_[k], slot[k]);
      } else {
        read_gap(lanes_[k], slot[k]);
      }
    }
    result.slot = second_ || !two_steps_;
    second_ = two_steps_ && !second_;
    if (result.slot) --items_;
    return result;
  }

 private:
  struct Lane {
    std::array<std::uint32_t, LaneWords> words{};
    unsigned count = 0;  // words held
    unsigned bit = 0;    // of the first one, read next
    std::uint16_t address = 0;
  };
  struct Code {
    unsigned index = 0, length = 0;
  };

  std::uint32_t word(std::size_t index) const {
    std::uint32_t value = 0;
    for (std::size_t b = 4; b-- > 0;) value = value << 8 | bytes_[index * 4 + b];
    return value;
  }

  static std::uint32_t window(const Lane& lane) {
    const std::uint64_t both = std::uint64_t{lane.words[0]} << 32 | lane.words[1];
    return static_cast<std::uint32_t>(both << lane.bit >> 32);
  }

  static void consume(Lane& lane, unsigned bits) {
    lane.bit += bits;
    if (lane.bit < 32) return;
    lane.bit -= 32;
    lane.words = {lane.words[1], lane.words[2], 0};
    if (lane.count > 0) --lane.count;
  }

  static Code huffman(const CodeTable::Lengths& lengths, std::uint32_t window) {
    const std::uint32_t code = window >> (32 - CodeMaxLength);
    for (unsigned l = 1; l <= CodeMaxLength; ++l) {
      const CodeLength& length = lengths[l - 1];
      if (code < length.limit) return {(length.base + (code >> (CodeMaxLength - l))) % CodeSymbols, l};
    }
    return {0, CodeMaxLength};
  }

  /// The first `count` bits, 0..16.
  static unsigned first_bits(std::uint32_t window, unsigned count) {
    return static_cast<unsigned>(std::uint64_t{window} >> (32 - count));
  }

  void read_gap(Lane& lane, Entry& entry) const {
    std::uint32_t bits = window(lane);
    const Code code = huffman_ ? huffman(table_.gap, bits) : Code{first_bits(bits, gap_bits_), gap_bits_};
    const Symbol& symbol = table_.symbols[code.index];
    bits <<= code.length;
    const unsigned number = first_bits(bits, symbol.extra);
    const unsigned further = symbol.step ? table_.steps[number % CodeSteps] : number;
    lane.address = static_cast<std::uint16_t>(lane.address + symbol.gap + further);
    bits <<= symbol.extra;
    unsigned used = code.length + symbol.extra;
    entry = {0, lane.address, symbol.valid, symbol.last, 0};
    if (symbol.valid) {
      entry.weight = table_.symbols[first_bits(bits, value_bits_)].weight;
      used += value_bits_;
    }
    consume(lane, used);
  }

  void read_value_code(Lane& lane, Entry& entry) const {
    if (!entry.valid) return;
    const Code code = huffman(table_.value, window(lane));
    entry.weight = table_.symbols[code.index].weight;
    consume(lane, code.length);
  }

  std::span<const std::uint8_t> bytes_;
  const CodeTable& table_;
  bool huffman_, two_steps_;
  unsigned gap_bits_, value_bits_;
  std::uint32_t items_;
  std::vector<Lane> lanes_;
  std::size_t next_ = 0;  // word of the stream
  unsigned prime_ = 0;    // rounds without a step so far
  bool second_ = false;   // the value codes of a slot come next
};

}  // namespace espalier::abi

// Coded weight streams: words are dealt to the lanes in rounds, and every lane decodes its own bits.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_commands.hpp"
#include "esp_line.hpp"

namespace espalier::kernel {

/// Codes of one length: those below `limit`, whose first code is entry `base` less that code.
struct CodeLength {
  std::uint32_t limit, base;
};

/// What OpWeight of FormatCode writes. Symbols as they stand in memory; lengths of index + 1 bits.
struct CodeTable {
  std::uint32_t symbols[abi::CodeSymbols];
  std::uint32_t steps[abi::CodeSteps];
  CodeLength gap[abi::CodeMaxLength], value[abi::CodeMaxLength];
};

inline std::int8_t symbol_weight(std::uint32_t symbol) {
  return static_cast<std::int8_t>(part<abi::CodeWeightLsb, abi::CodeWeightBits>(symbol));
}

/// Addresses count modulo CodeDepth; entries that are not used are dropped.
inline void write_code(CodeTable& codes, std::uint32_t address, std::uint32_t bits) {
  address %= abi::CodeDepth;
  const CodeLength length = {part<abi::CodeLimitLsb, abi::CodeLimitBits>(bits),
                             part<abi::CodeBaseLsb, abi::CodeBaseBits>(bits)};
  if (address < abi::CodeSymbols) codes.symbols[address] = bits;
  if (address <= abi::CodeStepZero && address + abi::CodeSteps > abi::CodeStepZero) {
    codes.steps[abi::CodeStepZero - address] = part<abi::CodeGapLsb, abi::CodeGapBits>(bits);
  }
  for (unsigned l = 0; l < abi::CodeMaxLength; ++l) {
#pragma HLS UNROLL
    if (address == abi::CodeGapLengths + l) codes.gap[l] = length;
    if (address == abi::CodeValueLengths + l) codes.value[l] = length;
  }
}

/// A lane's words, the bit of the first one that is read next, and its address.
struct LaneBits {
  std::uint32_t words[abi::LaneWords];
  unsigned count, bit;
  std::uint32_t address;
};

/// All lanes, and where they are between rounds.
template <typename S>
struct CodeDecoder {
  LaneBits lanes[S::Lanes];
  unsigned prime;  // rounds without a step so far
  unsigned group;  // the next lanes to be dealt words in this round: 16 of them
  bool second;     // the value codes of a slot come next
  // The slot that a step has decoded.
  std::uint32_t entry[S::Lanes];
  std::int8_t weight[S::Lanes];
};

template <typename S>
void begin_decoding(CodeDecoder<S>& decoder) {
  decoder.prime = decoder.group = 0;
  decoder.second = false;
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    decoder.lanes[k] = {{0, 0, 0}, 0, 0, 0};
  }
}

inline bool two_steps(const WeightCommand& command) {
  return command.format == abi::FormatHuffman && command.value_bits == abi::ValueHuffman;
}

/// Whether the round that begins completes a slot.
template <typename S>
bool decodes_slot(const CodeDecoder<S>& decoder, const WeightCommand& command) {
  return decoder.prime == abi::LaneWords - 1 && (decoder.second || !two_steps(command));
}

/// Whether no lane holds a word and no step is half done: with no more words the stream has ended.
template <typename S>
bool decoder_empty(const CodeDecoder<S>& decoder) {
  bool empty = decoder.prime == abi::LaneWords - 1 && !decoder.second;
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    empty = empty && decoder.lanes[k].count == 0;
  }
  return empty;
}

/// Words for the lanes of a group that run low, from word `first` of two beats on, of which `left` exist. Returns the
/// words dealt.
template <typename S>
unsigned deal_words(CodeDecoder<S>& decoder, const Beat& here, const Beat& next, unsigned first, unsigned left) {
  unsigned dealt = 0;
  for (unsigned i = 0; i < S::DealtLanes; ++i) {
#pragma HLS UNROLL
    LaneBits& lane = decoder.lanes[decoder.group * S::DealtLanes + i];
    const unsigned at = first + dealt;
    if (lane.count <= decoder.prime && dealt < left) {
      lane.words[lane.count] = at < abi::WordsPerBeat ? word_of(here, at) : word_of(next, at - abi::WordsPerBeat);
      ++lane.count;
      ++dealt;
    }
  }
  return dealt;
}

/// The next 32 bits of a lane.
inline std::uint32_t lane_window(const LaneBits& lane) {
  const std::uint64_t both = std::uint64_t{lane.words[0]} << 32 | lane.words[1];
  return static_cast<std::uint32_t>(both << lane.bit >> 32);
}

inline void consume_bits(LaneBits& lane, unsigned bits) {
  lane.bit += bits;
  if (lane.bit >= 32) {
    lane.bit -= 32;
    lane.words[0] = lane.words[1];
    lane.words[1] = lane.words[2];
    lane.words[2] = 0;
    if (lane.count > 0) --lane.count;
  }
}

/// The first `count` bits of a window, 0..16.
inline std::uint32_t first_bits(std::uint32_t window, unsigned count) {
  return static_cast<std::uint32_t>(std::uint64_t{window} >> (32 - count));
}

struct Code {
  std::uint32_t index;
  unsigned length;
};

/// The canonical Huffman code at the start of a window.
inline Code huffman_code(const CodeLength (&lengths)[abi::CodeMaxLength], std::uint32_t window) {
  const std::uint32_t code = first_bits(window, abi::CodeMaxLength);
  Code found = {0, abi::CodeMaxLength};
  bool known = false;
  for (unsigned l = 1; l <= abi::CodeMaxLength; ++l) {
#pragma HLS UNROLL
    const CodeLength length = lengths[l - 1];
    if (!known && code < length.limit) {
      found = {(length.base + (code >> (abi::CodeMaxLength - l))) % abi::CodeSymbols, l};
      known = true;
    }
  }
  return found;
}

/// A gap symbol, its extra bits, and a value symbol of fixed width if the entry has one.
inline void read_gap(LaneBits& lane, const CodeTable& codes, const WeightCommand& command, std::uint32_t& entry,
                     std::int8_t& weight) {
  std::uint32_t window = lane_window(lane);
  const Code fixed = {first_bits(window, command.gap_bits & 31U), command.gap_bits};
  const Code code = command.format == abi::FormatHuffman ? huffman_code(codes.gap, window) : fixed;
  const std::uint32_t symbol = codes.symbols[code.index % abi::CodeSymbols];
  const unsigned extra = least(part<abi::CodeExtraLsb, abi::CodeExtraBits>(symbol), 16);
  const bool valid = part<abi::CodeValidLsb, 1>(symbol) != 0;
  window <<= code.length & 31U;
  const std::uint32_t number = first_bits(window, extra);
  const bool step = part<abi::CodeStepLsb, 1>(symbol) != 0;
  const std::uint32_t further = step ? codes.steps[number % abi::CodeSteps] : number;
  lane.address = (lane.address + part<abi::CodeGapLsb, abi::CodeGapBits>(symbol) + further) & 65535U;
  window <<= extra;
  const unsigned value_bits = two_steps(command) ? 0 : command.value_bits & 15U;
  const std::uint32_t value = first_bits(window, value_bits) % abi::CodeSymbols;
  entry = make_entry(lane.address, valid, part<abi::CodeLastLsb, 1>(symbol) != 0, 0);
  weight = valid ? symbol_weight(codes.symbols[value]) : std::int8_t{0};
  consume_bits(lane, code.length + extra + (valid ? value_bits : 0));
}

inline void read_value(LaneBits& lane, const CodeTable& codes, std::uint32_t entry, std::int8_t& weight) {
  if (entry_valid(entry)) {
    const Code code = huffman_code(codes.value, lane_window(lane));
    weight = symbol_weight(codes.symbols[code.index]);
    consume_bits(lane, code.length);
  }
}

/// After the words of the last group: a step of all lanes, unless the first words are still being dealt. Returns true
/// if a slot is complete.
template <typename S>
bool end_round(CodeDecoder<S>& decoder, const CodeTable& codes, const WeightCommand& command) {
  const bool whole = decoder.group + 1 == S::DealCycles;
  decoder.group = whole ? 0 : decoder.group + 1;
  if (!whole) return false;
  if (decoder.prime < abi::LaneWords - 1) {
    ++decoder.prime;
    return false;
  }
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    if (decoder.second) {
      read_value(decoder.lanes[k], codes, decoder.entry[k], decoder.weight[k]);
    } else {
      read_gap(decoder.lanes[k], codes, command, decoder.entry[k], decoder.weight[k]);
    }
  }
  const bool slot = decoder.second || !two_steps(command);
  decoder.second = !slot;
  return slot;
}

}  // namespace espalier::kernel

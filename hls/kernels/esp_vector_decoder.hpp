// Streams of FormatVector: words are dealt to the lanes in rounds, and every lane reads as many symbols as make one
// slot of WeightsVector.
#pragma once

#include <cstdint>

#include "esp_code_decoder.hpp"
#include "esp_line.hpp"

namespace espalier::kernel {

/// A lane's words, the bit of the first one that is read next, and its column.
struct VectorLane {
  std::uint32_t words[abi::LaneWords];
  unsigned count, bit;
  std::uint32_t column;
  bool over;  // it reads no more
};

/// All lanes, and where they are between rounds.
template <typename S>
struct VectorDecoder {
  VectorLane lanes[S::Lanes];
  unsigned prime;  // rounds without a step so far
  unsigned group;  // the next lanes of this round: 16 of them
  VectorSlot<S> slot;
};

template <typename S>
void begin_decoding(VectorDecoder<S>& decoder) {
  decoder.prime = decoder.group = 0;
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    decoder.lanes[k] = {{0, 0, 0}, 0, 0, 0, false};
  }
}

/// Bits that a lane sees.
inline unsigned bits_held(const VectorLane& lane) {
  return least(64, 32 * lane.count - least(lane.bit, 32 * lane.count));
}

inline unsigned symbol_bits(const WeightCommand& command) { return (command.gap_bits + command.value_bits) & 31U; }

/// Whether the stream ends before the round that begins; `dry`: the run has no more words.
template <typename S>
bool vector_ended(const VectorDecoder<S>& decoder, const WeightCommand& command, bool dry) {
  bool idle = decoder.prime == abi::LaneWords - 1;
  bool over = true;
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    const VectorLane& lane = decoder.lanes[k];
    idle = idle && (lane.over || bits_held(lane) < symbol_bits(command));
    over = over && lane.over;
  }
  return idle && (over || dry);
}

/// The next 64 bits of a lane.
inline std::uint64_t vector_window(const VectorLane& lane) {
  const std::uint64_t both = std::uint64_t{lane.words[0]} << 32 | lane.words[1];
  const std::uint64_t third = std::uint64_t{lane.words[2]} << lane.bit >> 32;
  return both << lane.bit | third;
}

inline void consume_symbols(VectorLane& lane, unsigned bits) {
  lane.bit = lane.over ? 0 : lane.bit + bits;
  if (lane.over) lane.count = 0;
  // 64 bits and a part of a word are two whole words at most.
  for (unsigned i = 0; i < 2; ++i) {
#pragma HLS UNROLL
    if (lane.bit >= 32 && lane.count > 0) {
      lane.bit -= 32;
      lane.words[0] = lane.words[1];
      lane.words[1] = lane.words[2];
      lane.words[2] = 0;
      --lane.count;
    }
  }
}

/// What a lane has read of its slot.
struct VectorEntry {
  std::uint32_t words[2];
  unsigned used;
  bool last;
};

/// Symbols of a lane as long as they make one slot. `weights` and `places`: of the products, 0 where there is none.
template <typename S>
VectorEntry read_symbols(VectorLane& lane, const CodeTable& codes, const WeightCommand& command,
                         std::int8_t (&weights)[S::VectorProducts], std::uint32_t (&places)[S::VectorProducts]) {
  VectorEntry entry = {{0, 0}, 0, false};
  const unsigned width = symbol_bits(command);
  const unsigned held = bits_held(lane);
  const std::uint64_t window = vector_window(lane);
  bool open = !lane.over;
  unsigned taken = 0;
  for (unsigned i = 0; i < S::VectorProducts; ++i) {
#pragma HLS UNROLL
    const std::uint64_t symbol = window << (taken & 63U) >> (64 - width);
    const auto gap = static_cast<std::uint32_t>(symbol >> command.value_bits);
    const auto value = static_cast<std::uint32_t>(symbol) & ((1U << command.value_bits) - 1);
    const std::uint32_t column = lane.column + gap;
    const bool passes = gap + 1 == 1U << command.gap_bits;
    const bool ends = column >= command.columns;
    const std::uint32_t word = column / S::Pixels;
    const bool first = entry.used > 0 && entry.words[0] == word;
    const bool second = entry.used > 1 && entry.words[1] == word;
    const bool multiplies = !ends && !passes;
    open = open && taken + width <= held && !(multiplies && entry.used == 2 && !first && !second);
    const unsigned which = first ? 0 : entry.used == 0 ? 0 : 1;
    weights[i] = 0;
    places[i] = 0;
    if (open && multiplies) {
      const std::int8_t coded = symbol_weight(codes.symbols[value]);
      weights[i] = command.value_bits == 8 ? static_cast<std::int8_t>(value) : coded;
      places[i] = which * S::Pixels + column % S::Pixels;
      entry.words[which] = word;
      entry.used = most(entry.used, which + 1);
    }
    if (open && ends) {
      entry.last = (value & 2U) == 0;
      lane.over = (value & 3U) != 0;
    }
    if (open) {
      lane.column = ends ? 0 : passes ? column : column + 1;
      taken += width;
    }
    open = open && !ends;
  }
  consume_symbols(lane, taken);
  return entry;
}

/// A round of the lanes of a group: they read symbols of the words they held before, and take new ones, from word
/// `first` of two beats on, of which `left` exist. Returns the words dealt.
template <typename S>
unsigned run_vector_group(VectorDecoder<S>& decoder, const CodeTable& codes, const WeightCommand& command,
                          const Beat& here, const Beat& next, unsigned first, unsigned left) {
  unsigned dealt = 0;
  for (unsigned i = 0; i < S::DealtLanes; ++i) {
#pragma HLS UNROLL
    const unsigned k = decoder.group * S::DealtLanes + i;
    VectorLane& lane = decoder.lanes[k];
    const bool wants = !lane.over && lane.count <= decoder.prime && dealt < left;
    if (decoder.prime == abi::LaneWords - 1) {
      std::int8_t weights[S::VectorProducts];
      std::uint32_t places[S::VectorProducts];
      const VectorEntry entry = read_symbols<S>(lane, codes, command, weights, places);
      place_vector_entry(decoder.slot, k, entry.words, make_vector_state(entry.used, entry.last), weights, places);
    }
    if (wants) {
      const unsigned at = first + dealt;
      const std::uint32_t word = at < abi::WordsPerBeat ? word_of(here, at) : word_of(next, at - abi::WordsPerBeat);
      if (!lane.over) lane.words[lane.count] = word;
      if (!lane.over) ++lane.count;
      ++dealt;
    }
  }
  return dealt;
}

/// After a group. Returns true if a slot is complete.
template <typename S>
bool end_vector_group(VectorDecoder<S>& decoder) {
  const bool whole = decoder.group + 1 == S::DealCycles;
  const bool primed = decoder.prime == abi::LaneWords - 1;
  decoder.group = whole ? 0 : decoder.group + 1;
  if (whole && !primed) ++decoder.prime;
  return whole && primed;
}

}  // namespace espalier::kernel

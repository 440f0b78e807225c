// Chunks of every weights mode as lines of the weight store and as slots that are issued from them, from loops as plain
// as the contract states them.
#pragma once

#include <cstdint>
#include <vector>

#include "esp_abi.hpp"
#include "random_stream.hpp"

namespace espalier::test {

using LineWords = std::vector<std::uint32_t>;  // bits of a line, lane 0 first

/// A slot as the lanes see it.
struct PlannedSlot {
  std::size_t line = 0;
  unsigned slot = 0;  // of the line
  std::uint64_t valid = 0, last = 0;
  std::uint16_t offset = 0;  // WeightsDense
  unsigned segment = 0;      // WeightsDense
};

inline unsigned line_bits(const abi::Configuration& array) { return 8 * array.line_weights() + 21; }

/// Writes the low `bits` bits of `value` at `lsb`.
inline void set_line(LineWords& line, unsigned lsb, unsigned bits, std::uint32_t value) {
  for (unsigned i = 0; i < bits; ++i) {
    line[(lsb + i) / 32] |= ((value >> i) & 1U) << ((lsb + i) % 32);
  }
}

inline LineWords empty_line(const abi::Configuration& array) {
  return LineWords((array.lanes * line_bits(array) + 31) / 32);
}

/// A beat of weights: byte k * W + i is weight i of lane k.
inline void set_weights(LineWords& line, const std::uint8_t* beat, const abi::Configuration& array) {
  for (unsigned i = 0; i < abi::BeatBytes; ++i) {
    const unsigned lane = i / array.line_weights();
    set_line(line, lane * line_bits(array) + i % array.line_weights() * 8, 8, beat[i]);
  }
}

inline std::uint32_t entry_bits(const std::uint8_t* bytes) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[3]} << 24;
}

/// A slot of WeightsSparse where esp_line_store has it. A line of one slot has it where others have the second one, with
/// its weight in front.
inline void set_slot(LineWords& line, unsigned lane, unsigned slot, std::uint32_t entry,
                     const abi::Configuration& array) {
  const unsigned lsb = lane * line_bits(array), weights = 8 * array.line_weights();
  const bool two = array.line_slots(abi::WeightsSparse, 1) == 2;
  const bool first = two && slot == 0;
  set_line(line, lsb + (two && !first ? weights - 8 : 0), 8, entry);
  set_line(line, lsb + (first ? 8 : weights), 16, entry >> 8);
  set_line(line, lsb + weights + (first ? 18 : 16), 2, entry >> 24);
}

/// The lines that an OpWeight of a format and so many items writes.
inline std::vector<LineWords> lines_of(unsigned format, std::uint32_t items, const std::uint8_t* bytes,
                                       const abi::Configuration& array) {
  const unsigned lanes = array.lanes;
  std::vector<LineWords> lines;
  const unsigned per_line = array.line_slots(abi::WeightsSparse, 1);
  const unsigned block =
      2 * abi::BeatBytes > lanes * 4 + abi::BeatBytes ? 2 * abi::BeatBytes : lanes * 4 + abi::BeatBytes;
  for (std::uint32_t n = 0; n < items; ++n) {
    if (format != abi::FormatSparse || n % per_line == 0) lines.push_back(empty_line(array));
    LineWords& line = lines.back();
    if (format == abi::FormatSparse) {
      for (unsigned k = 0; k < lanes; ++k) {
        set_slot(line, k, n % per_line, entry_bits(bytes + (n * lanes + k) * 4), array);
      }
    } else if (format == abi::FormatDense) {
      set_weights(line, bytes + n * abi::BeatBytes, array);
    } else {
      set_weights(line, bytes + n * block, array);
      for (unsigned k = 0; k < lanes; ++k) {
        set_line(line, k * line_bits(array) + 8 * array.line_weights(), 21,
                 entry_bits(bytes + n * block + abi::BeatBytes + 4 * k) >> abi::EntryOffsetLsb);
      }
    }
  }
  return lines;
}

/// Slot n of a chunk of WeightsDense.
inline PlannedSlot dense_slot(const abi::Command& c, std::uint32_t n, unsigned lanes) {
  const std::uint32_t segments = (c.flags & abi::FlagBroadcast) != 0 ? c.split : 1U;
  const std::uint32_t row = segments * c.tap_count[0] * c.tap_count[1] * c.tap_count[2];
  const std::uint32_t tap = n % row / segments;
  const std::uint32_t i0 = tap % c.tap_count[0], i1 = tap / c.tap_count[0] % c.tap_count[1],
                      i2 = tap / c.tap_count[0] / c.tap_count[1];
  const unsigned used = n / row == (c.slots - 1) / row ? c.tail_lanes : lanes;
  PlannedSlot slot;
  slot.valid = (std::uint64_t{1} << used) - 1;
  if ((n + 1) % row == 0 || n + 1 == c.slots) slot.last = slot.valid;
  slot.offset = static_cast<std::uint16_t>(i0 * c.tap_step[0] + i1 * c.tap_step[1] + i2 * c.tap_step[2]);
  slot.segment = n % row % segments;
  return slot;
}

/// The slots of a chunk, lines counted from 0.
inline std::vector<PlannedSlot> slots_of(const RandomChunk& chunk, const abi::Configuration& array) {
  const abi::Command& c = chunk.compute;
  const unsigned per_line = array.line_slots(c.weights, c.split);
  const unsigned entry_beats = (4 * array.lanes + abi::BeatBytes - 1) / abi::BeatBytes;
  std::vector<PlannedSlot> slots;
  for (std::uint32_t n = 0; n < c.slots; ++n) {
    PlannedSlot slot;
    if (c.weights == abi::WeightsDense) slot = dense_slot(c, n, array.lanes);
    slot.line = n / per_line;
    slot.slot = n % per_line;
    for (unsigned k = 0; c.weights != abi::WeightsDense && k < array.lanes; ++k) {
      const std::size_t at = c.weights == abi::WeightsSparse
                                 ? std::size_t{n * array.lanes + k} * 4
                                 : std::size_t{n * (1 + entry_beats) + 1} * abi::BeatBytes + std::size_t{k} * 4;
      const abi::Entry entry = abi::decode_entry(entry_bits(&chunk.bytes[at]));
      slot.valid |= std::uint64_t{entry.valid} << k;
      slot.last |= std::uint64_t{entry.last} << k;
    }
    slots.push_back(slot);
  }
  return slots;
}

}  // namespace espalier::test

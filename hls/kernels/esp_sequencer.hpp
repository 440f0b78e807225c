// The sequencer: which slot of the chunk comes next, at which position, and what each lane reads in it.
#pragma once

#include <cstdint>

#include "esp_commands.hpp"
#include "esp_line.hpp"

namespace espalier::kernel {

struct Sequencer {
  // The slot, and where its line stands, counted from the oldest in the store.
  std::uint32_t slot, line;
  std::uint32_t in_line;  // slots before it in its line
  // The position.
  std::uint32_t x, y, position, row_base, base;
  // WeightsDense: tap counters, their offsets, and the lanes in use in this row of the chunk.
  std::uint32_t segment, tap[3], tap_offset[3], active_lanes;
  bool ended;
};

/// Segments that WeightsDense gives to the lanes one after another.
inline std::uint32_t dense_segments(const ComputeCommand& command) { return command.broadcast ? command.split : 1; }

/// Slots of a row of WeightsDense.
inline std::uint32_t dense_row(const ComputeCommand& command) {
  return dense_segments(command) * command.tap_count[0] * command.tap_count[1] * command.tap_count[2];
}

/// Which row is the last of the chunk is known at its first slot.
template <typename S>
std::uint32_t row_lanes(const ComputeCommand& command, std::uint32_t slot, std::uint32_t row) {
  return command.slots - slot <= row ? command.tail_lanes : S::Lanes;
}

template <typename S>
Sequencer first_slot(const ComputeCommand& command, std::uint32_t row) {
  Sequencer sequencer = {};
  sequencer.row_base = sequencer.base = command.address;
  sequencer.active_lanes = row_lanes<S>(command, 0, row);
  return sequencer;
}

/// Entries of the lanes, with offsets from the position's base.
template <typename S>
void slot_entries(const Sequencer& sequencer, const ComputeCommand& command, const Line<S>& line,
                  std::uint32_t (&entries)[S::Lanes]) {
  const bool dense = command.weights == abi::WeightsDense;
  const bool ends_taps = sequencer.segment + 1 == dense_segments(command) &&
                         sequencer.tap[0] + 1 == command.tap_count[0] && sequencer.tap[1] + 1 == command.tap_count[1] &&
                         sequencer.tap[2] + 1 == command.tap_count[2];
  const bool last = ends_taps || sequencer.slot + 1 == command.slots;
  const std::uint32_t offset = sequencer.tap_offset[0] + sequencer.tap_offset[1] + sequencer.tap_offset[2];
  const std::uint32_t shared = make_entry(offset, true, last, sequencer.segment);
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    const std::uint32_t own = line.entries[sequencer.in_line * S::Lanes + k];
    const std::uint32_t active = k < sequencer.active_lanes ? shared : 0;
    entries[k] = dense ? active : own;
  }
}

/// The tap after this one: the segment counts fastest, then the first tap counter.
template <typename S>
void next_tap(Sequencer& sequencer, const ComputeCommand& command, std::uint32_t row) {
  bool carry = sequencer.segment + 1 == dense_segments(command);
  sequencer.segment = carry ? 0 : sequencer.segment + 1;
  for (unsigned i = 0; i < 3; ++i) {
#pragma HLS UNROLL
    const bool wraps = sequencer.tap[i] + 1 == command.tap_count[i];
    if (carry) sequencer.tap_offset[i] = wraps ? 0 : sequencer.tap_offset[i] + command.tap_step[i];
    if (carry) sequencer.tap[i] = wraps ? 0 : sequencer.tap[i] + 1;
    carry = carry && wraps;
  }
  if (carry) sequencer.active_lanes = row_lanes<S>(command, sequencer.slot, row);
}

/// Whether this is the last time that the chunk is read.
inline bool last_position(const Sequencer& sequencer, const ComputeCommand& command) {
  return sequencer.x + 1 == command.count_x && sequencer.y + 1 == command.count_y;
}

inline void next_position(Sequencer& sequencer, const ComputeCommand& command) {
  sequencer.ended = last_position(sequencer, command);
  const bool wraps = sequencer.x + 1 == command.count_x;
  sequencer.row_base = wraps ? sequencer.row_base + command.step_y : sequencer.row_base;
  sequencer.base = wraps ? sequencer.row_base : sequencer.base + command.step_x;
  sequencer.x = wraps ? 0 : sequencer.x + 1;
  if (wraps) ++sequencer.y;
  ++sequencer.position;
  sequencer.slot = sequencer.line = sequencer.in_line = 0;
  sequencer.segment = 0;
  for (unsigned i = 0; i < 3; ++i) {
#pragma HLS UNROLL
    sequencer.tap[i] = sequencer.tap_offset[i] = 0;
  }
}

/// The slot after this one. `slots`: of a line; `row`: of WeightsDense. Returns true if the line behind is not needed
/// any more; it has then been given up, and lines are counted from the one that follows.
template <typename S>
bool next_slot(Sequencer& sequencer, const ComputeCommand& command, std::uint32_t slots, std::uint32_t row) {
  const bool ends_chunk = sequencer.slot + 1 == command.slots;
  const bool ends_line = ends_chunk || sequencer.in_line + 1 == slots;
  const bool gives_up = ends_line && last_position(sequencer, command);
  sequencer.in_line = ends_line ? 0 : sequencer.in_line + 1;
  if (ends_line && !gives_up) ++sequencer.line;
  ++sequencer.slot;
  next_tap<S>(sequencer, command, row);
  if (ends_chunk) {
    next_position(sequencer, command);
    sequencer.active_lanes = row_lanes<S>(command, 0, row);
  }
  return gives_up;
}

}  // namespace espalier::kernel

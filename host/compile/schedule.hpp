// The static schedule of sparse rows: which lane reads which word in which slot, without a conflict at any bank port.
//
//   Schedule schedule = schedule_rows(rows, 16);   // slots.size() cycles per position
//
// Rows go to lanes by longest processing time. In each slot the lanes of a port are matched to banks by augmenting
// paths over a window of taps ahead; lanes that want a word already being read share it (multicast).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::compile {

/// One non-zero weight, or the weights of all segments: the word it multiplies, relative to the position's base.
struct Tap {
  std::uint16_t offset = 0;
  std::int8_t weight = 0;
  std::uint8_t segment = 0;  // of the word
  std::uint32_t index = 0;   // which of the row's weights, for the caller
};

using Row = std::vector<Tap>;

/// A lane's entry in a slot, and the index of its tap.
struct ScheduledEntry : abi::Entry {
  std::uint32_t index = 0;
};

/// Slots of a chunk, and the rows of every lane in the order in which they finish.
struct Schedule {
  std::vector<std::vector<ScheduledEntry>> slots;  // [slot][lane]
  std::vector<std::vector<int>> lane_rows;         // [lane][j] = index of a row
  int lower_bound = 0;                             // slots: the fullest lane, or the fullest bank of a port

  int size() const { return static_cast<int>(slots.size()); }
  /// Rows of the lane that has most of them; the row table needs this many entries per lane.
  int rows_per_lane() const;
};

/// The shortest schedule found with lookahead windows of several sizes. `rows` is not empty.
Schedule schedule_rows(std::span<const Row> rows, int lanes);

}  // namespace espalier::compile

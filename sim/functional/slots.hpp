// Weight streams to slots: a slot is one encoded entry (EntryBits) for each of the K lanes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "esp_abi.hpp"

namespace espalier::functional {

/// FormatSparse: bytes of `slots.size()` little-endian entries, lane 0 of slot 0 first.
inline void decode_sparse(std::span<const std::uint8_t> bytes, std::span<std::uint32_t> slots) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint8_t* entry = &bytes[i * 4];
    slots[i] = static_cast<std::uint32_t>(entry[0]) | static_cast<std::uint32_t>(entry[1]) << 8 |
               static_cast<std::uint32_t>(entry[2]) << 16 | static_cast<std::uint32_t>(entry[3]) << 24;
  }
}

/// The offsets of FormatDense: three nested counters, the first innermost.
class DenseOffsets {
 public:
  explicit DenseOffsets(const abi::Command& command) : command_(command) {}

  std::uint16_t value() const {
    return static_cast<std::uint16_t>(index_[0] * command_.step[0] + index_[1] * command_.step[1] +
                                      index_[2] * command_.step[2]);
  }

  /// True at the last slot of a row.
  bool last() const {
    return index_[0] + 1 == command_.count[0] && index_[1] + 1 == command_.count[1] &&
           index_[2] + 1 == command_.count[2];
  }

  void advance() {
    for (std::size_t i = 0; i < 3; ++i) {
      if (++index_[i] < command_.count[i]) return;
      index_[i] = 0;
    }
  }

 private:
  const abi::Command& command_;
  std::array<std::uint32_t, 3> index_{};
};

/// FormatDense: one byte per lane and slot, slots.size() / lanes slots. In the last group of rows of the command the
/// lanes from tail_lanes on are idle.
inline void decode_dense(const abi::Command& command, unsigned lanes, std::span<const std::uint8_t> bytes,
                         std::span<std::uint32_t> slots) {
  const std::uint64_t row = std::uint64_t{command.count[0]} * command.count[1] * command.count[2];
  bool tail = false;
  std::uint64_t left_in_row = 0;
  DenseOffsets offsets(command);
  for (std::size_t slot = 0; slot < slots.size() / lanes; ++slot, --left_in_row, offsets.advance()) {
    if (left_in_row == 0) {  // which group is the last is known at its first slot
      left_in_row = row;
      tail = command.items - slot <= row;
    }
    const unsigned active = tail ? command.tail_lanes : lanes;
    abi::Entry entry{0, offsets.value(), true, offsets.last()};
    for (unsigned lane = 0; lane < lanes; ++lane) {
      const std::size_t index = slot * lanes + lane;
      entry.weight = static_cast<std::int8_t>(bytes[index]);
      slots[index] = lane < active ? abi::encode(entry) : 0;
    }
  }
}

}  // namespace espalier::functional
   // namespace espalier::functional

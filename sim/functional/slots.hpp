// What a compute command finds in the lines of the weight store: for each slot and lane an address and weights.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "esp_abi.hpp"

namespace espalier::functional {

/// Lines that the slots of an OpCompute occupy: its last one need not be full. Those of WeightsVector occupy none.
constexpr std::uint64_t chunk_lines(const abi::Command& command, const abi::Configuration& array) {
  if (command.weights == abi::WeightsVector) return 0;
  const unsigned slots = array.line_slots(command.weights, command.split);
  return (std::uint64_t{command.slots} + slots - 1) / slots;
}

/// A little-endian 32-bit entry.
inline std::uint32_t read_entry(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

/// Addresses of WeightsDense: a segment counter inside three nested tap counters.
class DenseSlots {
 public:
  DenseSlots(const abi::Command& command, unsigned lanes)
      : command_(command),
        lanes_(lanes),
        segments_((command.flags & abi::FlagBroadcast) != 0 ? command.split : 1U),
        row_(segments_ * command.tap_count[0] * command.tap_count[1] * command.tap_count[2]) {
    start_row();
  }

  /// What all lanes in use read in this slot; those from active_lanes() on are idle and end no row.
  abi::Entry entry() const {
    const auto offset = static_cast<std::uint16_t>(index_[0] * command_.tap_step[0] + index_[1] * command_.tap_step[1] +
                                                   index_[2] * command_.tap_step[2]);
    return {0, offset, true, ends_taps() || slot_ + 1 == command_.slots, static_cast<std::uint8_t>(segment_)};
  }
  unsigned active_lanes() const { return active_lanes_; }

  void advance() {
    ++slot_;
    if (++segment_ < segments_) return;
    segment_ = 0;
    for (std::size_t i = 0; i < index_.size(); ++i) {
      if (++index_[i] < command_.tap_count[i]) return;
      index_[i] = 0;
    }
    start_row();
  }

 private:
  /// Which row is the last of the chunk is known at its first slot.
  void start_row() { active_lanes_ = command_.slots - slot_ <= row_ ? command_.tail_lanes : lanes_; }

  bool ends_taps() const {
    return segment_ + 1 == segments_ && index_[0] + 1U == command_.tap_count[0] &&
           index_[1] + 1U == command_.tap_count[1] && index_[2] + 1U == command_.tap_count[2];
  }

  const abi::Command& command_;
  unsigned lanes_;
  unsigned segments_;
  std::uint32_t row_;  // slots
  std::uint32_t slot_ = 0;
  unsigned active_lanes_ = 0;
  unsigned segment_ = 0;
  std::array<std::uint32_t, 3> index_{};
};

}  // namespace espalier::functional

// What the timing model needs to know of the weight store: per slot, the lanes whose rows end and the banks it
// occupies.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "esp_code.hpp"
#include "esp_vector.hpp"

namespace espalier::compile::timing {

/// One slot, as far as time depends on it.
struct SlotTiming {
  std::uint32_t last = 0;     // lanes whose row ends
  std::uint16_t banks = 0;    // banks whose port B lanes read (groups 1 and 3), for base 0
  std::uint16_t entries = 0;  // valid entries
};

/// One line of the weight store. Those of WeightsDense hold nothing that time depends on.
struct LineTiming {
  std::array<SlotTiming, 2> slots;
};

/// What one OpWeight command does to the weight store, or to the queue of WeightsVector.
struct StreamTiming {
  std::vector<LineTiming> lines;       // that it appends
  std::vector<abi::CodeRound> rounds;  // of a coded stream
  std::vector<SlotTiming> slots;       // of WeightsVector
};

/// `bytes`: those of the command in memory; `table`: the code table when it starts.
StreamTiming stream_timing(const abi::Command& command, std::span<const std::uint8_t> bytes,
                           const abi::CodeTable& table, const abi::Configuration& configuration);

/// esp_tap_generator: the slots of a chunk of WeightsDense.
class TapWalk {
 public:
  /// Stands at the first slot of a position of `command`.
  void start(const abi::Command& command, unsigned lanes);
  /// The slot where the walk stands.
  SlotTiming slot() const;
  /// The next slot; after the last one of the chunk, the first one again.
  void advance();

 private:
  bool row_ends() const;
  void start_row();

  std::array<std::uint16_t, 3> count_{}, step_{}, index_{}, offset_{};  // offset: at index 0 of the counters inside
  unsigned segments_ = 1, segment_ = 0;
  unsigned lanes_ = 0, tail_lanes_ = 0, used_ = 0;
  std::uint32_t slots_ = 0, left_ = 0, row_slots_ = 0;
};

}  // namespace espalier::compile::timing

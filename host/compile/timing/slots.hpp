// What the timing model needs to know of weight streams: per slot, the lanes whose rows end and the banks it occupies.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::compile::timing {

/// One slot of the weight store, as far as time depends on it.
struct SlotTiming {
  std::uint32_t last = 0;     // lanes whose row ends
  std::uint16_t banks = 0;    // banks that the second lane group reads, for base 0
  std::uint16_t entries = 0;  // valid entries
};

/// The slots that one OpWeight command (FormatSparse, FormatDense) appends. `stream`: its bytes in memory.
std::vector<SlotTiming> slot_timings(const abi::Command& command, std::span<const std::uint8_t> stream,
                                     const abi::Configuration& configuration);

}  // namespace espalier::compile::timing

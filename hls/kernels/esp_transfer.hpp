// Load and store: beats between memory and a stream. The array moves them into and out of the scratchpad.
#pragma once

#include <hls_stream.h>

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_commands.hpp"
#include "esp_memory.hpp"

namespace espalier::kernel {

/// OpLoad: the beats of all planes, which lie inside their window. `base`: the window's first beat.
template <typename Memory>
void read_planes(const Memory memory, std::uint64_t base, const Transfer& command, hls::stream<Beat>& beats) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
#pragma HLS LOOP_TRIPCOUNT min = 0 max = 1024
    const std::uint64_t first = base + static_cast<std::uint32_t>(command.offset + plane * command.pitch);
    // One beat a cycle, in bursts: addresses follow each other.
    for (std::uint32_t i = 0; i < command.run; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 1024
      const Beat beat = memory[first + i];
      beats.write(beat);
    }
  }
}

/// OpStore, the same in the other direction.
template <typename Memory>
void write_planes(Memory memory, std::uint64_t base, const Transfer& command, hls::stream<Beat>& beats) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
#pragma HLS LOOP_TRIPCOUNT min = 0 max = 1024
    const std::uint64_t first = base + static_cast<std::uint32_t>(command.offset + plane * command.pitch);
    // One beat a cycle, in bursts: addresses follow each other.
    for (std::uint32_t i = 0; i < command.run; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 1024
      memory[first + i] = beats.read();
    }
  }
}

}  // namespace espalier::kernel

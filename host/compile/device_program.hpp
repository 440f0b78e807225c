// What a machine executes: the contents of the program window and the sizes of the others.
#pragma once

#include <cstdint>
#include <vector>

namespace espalier::compile {

/// A linked program. `image` is window 0: weight streams, tables and commands, a multiple of 64 bytes.
struct DeviceProgram {
  std::vector<std::uint8_t> image;
  std::uint32_t command_offset = 0;  // beats
  std::uint32_t command_count = 0;
  std::uint64_t input_bytes = 64;   // window 1, packed inputs
  std::uint64_t output_bytes = 64;  // window 2, packed outputs
  std::uint64_t arena_bytes = 64;   // window 3, tensors between layers
};

}  // namespace espalier::compile

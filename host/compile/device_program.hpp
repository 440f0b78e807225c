// What a machine executes: the contents of the program window and the sizes of the others.
#pragma once

#include <cstdint>
#include <vector>

namespace espalier::compile {

/// A part of the command list that is started by itself; it counts what it waits for from its own start.
struct CommandRange {
  std::uint32_t offset = 0;  // beats
  std::uint32_t count = 0;

  bool operator==(const CommandRange&) const = default;
};

/// A linked program. `image` is window 0: weight streams, tables and commands, a multiple of 64 bytes.
struct DeviceProgram {
  std::vector<std::uint8_t> image;
  std::uint32_t command_offset = 0;  // beats
  std::uint32_t command_count = 0;
  std::uint64_t input_bytes = 64;   // window 1, packed inputs
  std::uint64_t output_bytes = 64;  // window 2, packed outputs
  std::uint64_t arena_bytes = 64;   // window 3, tensors between layers
  /// Two or more: the commands in parts that are started one after the other, as far as wanted; what a part needs of an
  /// earlier one lies in the arena. None: all commands are one part.
  std::vector<CommandRange> stages;
};

/// How often a program is started at most, and what is started then.
inline std::size_t stage_count(const DeviceProgram& program) {
  return program.stages.empty() ? 1 : program.stages.size();
}
inline CommandRange stage(const DeviceProgram& program, std::size_t index) {
  if (program.stages.empty()) return {program.command_offset, program.command_count};
  return program.stages.at(index);
}

}  // namespace espalier::compile

// Control: arguments, command fetch, waits and the bounds of every access.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_command_check.hpp"
#include "esp_commands.hpp"
#include "esp_memory.hpp"

namespace espalier::kernel {

/// The argument registers: addresses and sizes of the windows in bytes.
struct Arguments {
  std::uint64_t addresses[abi::Windows], sizes[abi::Windows];
  std::uint32_t command_offset, command_count, timeout;
};

/// What the result registers report after a run; cycles are not counted.
struct RunResult {
  std::uint32_t error, position, detail;
  std::uint32_t read_beats, write_beats, macs;
};

/// Commands completed in this run, by the units that complete them in the order of the list.
struct Completed {
  std::uint32_t loads, computes, stores;
};

/// The register of the first argument that is not acceptable; 0 if all are.
inline std::uint32_t wrong_argument(const Arguments& arguments) {
  constexpr std::uint32_t Stride = abi::RegInputAddress - abi::RegProgramAddress;
  constexpr std::uint32_t Size = abi::RegProgramBytes - abi::RegProgramAddress;
  std::uint32_t wrong = arguments.command_count == 0 ? abi::RegCommandCount : 0;
  for (std::uint32_t i = abi::Windows; i-- > 0;) {
#pragma HLS UNROLL
    const std::uint32_t address = abi::RegProgramAddress + i * Stride;
    if (arguments.sizes[i] % abi::BeatBytes != 0) wrong = address + Size;
    if (arguments.addresses[i] % 4096 != 0) wrong = address;
  }
  return wrong;
}

inline Window window_of(const Arguments& arguments, std::uint32_t index) {
  return {arguments.addresses[index] / abi::BeatBytes, arguments.sizes[index] / abi::BeatBytes};
}

/// What a transfer may do: the planes that it moves in full, and what comes of the next one, if there is one.
struct Access {
  std::uint32_t planes;
  std::uint32_t beats;  // moved by the bursts of the next plane before its fault
  Fault fault;          // ErrorTimeout: memory does not answer
};

/// Beats of the run [first, first + run) in bursts that stay inside their window.
inline std::uint32_t beats_inside(std::uint32_t first, std::uint32_t run, std::uint64_t limit) {
  if (std::uint64_t{first} + run <= limit) return run;
  const std::uint64_t burst = limit / abi::BurstBeats * abi::BurstBeats;
  return burst > first ? static_cast<std::uint32_t>(burst - first) : 0;
}

/// Checks the runs of a transfer burst by burst, in order.
template <typename Memory>
Access check_access(const Memory memory, const Window& window, const Transfer& command, bool writes) {
  Access access = {0, 0, no_fault()};
  // II = 1: a plane's first beat is the one before plus the pitch.
  for (std::uint32_t plane = 0; plane < command.planes && access.fault.code == abi::ErrorNone; ++plane) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 1024
    const std::uint32_t first = command.offset + plane * command.pitch;
    const std::uint32_t inside = beats_inside(first, command.run, window.beats);
    const Answer answered = answer(memory, window.base + first, inside, writes);
    if (answered.kind == AnswerError) {
      access.fault = {writes ? abi::ErrorWriteResponse : abi::ErrorReadResponse, 2};  // SLVERR
    } else if (answered.kind == AnswerSilence) {
      access.fault = {abi::ErrorTimeout, 0};
    } else if (inside < command.run) {
      access.fault = {abi::ErrorWindow, first + inside};
    }
    access.beats = answered.beats;
    if (access.fault.code == abi::ErrorNone) {
      access.beats = 0;
      ++access.planes;
    }
  }
  return access;
}

/// The commands of one burst.
struct CommandBuffer {
  Beat beats[abi::BurstBeats];
  std::uint32_t first;  // position of beats[0]
};

/// Beats of the burst of the list that starts at command `position`.
inline std::uint32_t burst_commands(const Arguments& arguments, std::uint32_t position) {
  const std::uint64_t beat = std::uint64_t{arguments.command_offset} + position;
  return least(arguments.command_count - position,
               abi::BurstBeats - static_cast<std::uint32_t>(beat % abi::BurstBeats));
}

/// Reads the burst that starts at command `position`. The machine fetches FetchDepth commands ahead, so a list that
/// runs off its window fails before the last commands inside have run. `read_beats` counts what was read.
template <typename Memory>
Fault fetch_commands(const Memory memory, const Arguments& arguments, std::uint32_t position, CommandBuffer& buffer,
                     std::uint32_t& read_beats) {
  const Window window = window_of(arguments, abi::WindowProgram);
  const std::uint64_t first = std::uint64_t{arguments.command_offset} + position;
  const std::uint32_t ahead = least(arguments.command_count - position, abi::FetchDepth);
  std::uint32_t checked = 0;
  // A trip per burst.
  while (checked < ahead) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 3
    const std::uint32_t beats = burst_commands(arguments, position + checked);
    if (first + checked + beats > window.beats) {
      return {abi::ErrorWindow, static_cast<std::uint32_t>(first + checked)};
    }
    checked += beats;
  }
  const std::uint32_t count = burst_commands(arguments, position);
  const Answer answered = answer(memory, window.base + first, count, false);
  if (answered.kind == AnswerError) return {abi::ErrorReadResponse, 2};
  if (answered.kind == AnswerSilence) return {abi::ErrorTimeout, 0};
  read_beats += count;
  buffer.first = position;
  // One command a cycle.
  for (std::uint32_t i = 0; i < count; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 16
    buffer.beats[i] = memory[window.base + first + i];
  }
  return no_fault();
}

/// Whether all that a command waits for is complete. `weights`: completed commands of the weight unit.
inline bool waits_met(const Beat& beat, const Completed& completed, std::uint32_t weights) {
  return field<abi::CmdWaitLoadLsb, abi::CmdWaitBits>(beat) <= completed.loads &&
         field<abi::CmdWaitWeightLsb, abi::CmdWaitBits>(beat) <= weights &&
         field<abi::CmdWaitComputeLsb, abi::CmdWaitBits>(beat) <= completed.computes &&
         field<abi::CmdWaitStoreLsb, abi::CmdWaitBits>(beat) <= completed.stores;
}

}  // namespace espalier::kernel

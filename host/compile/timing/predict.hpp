// The executable timing model: how many cycles a machine takes for a program, equal to the RTL to the cycle.
//
//   Prediction p = predict(program, abi::Array16x16, {.latency = 40});
#pragma once

#include <cstdint>
#include <vector>

#include "compile/device_program.hpp"
#include "esp_abi.hpp"
#include "esp_memory_model.hpp"

namespace espalier::compile {

using MemoryParameters = abi::MemoryParameters;

/// Cycles by what the machine did, as its counters tell them apart; they sum to the cycles of a run.
struct Causes {
  std::uint32_t computing = 0, weights = 0, output = 0, data = 0, writing = 0, control = 0;

  bool operator==(const Causes&) const = default;
};

/// Cycle counts of one run, as the registers of the contract report them.
struct Prediction {
  std::uint32_t cycles = 0;
  std::uint32_t computing = 0, weights = 0, output = 0, data = 0, writing = 0, control = 0;
  std::uint32_t read_beats = 0, write_beats = 0, macs = 0;
  std::vector<std::uint32_t> marks;     // MarkDepth entries; 0 where no OpMark wrote
  std::vector<Causes> causes_at_marks;  // from the start to each mark; they sum to the mark

  bool operator==(const Prediction&) const = default;
};

/// Throws Error(Usage) unless the bytes per cycle are a power of two up to BeatBytes.
void check_memory(const MemoryParameters& memory);

/// Runs the timing model with the memory of the contract. Throws Error(Program) for commands that cannot be walked, for
/// weights outside the program, and if there is no progress or no end; Error(Usage) as check_memory().
Prediction predict(const DeviceProgram& program, const abi::Configuration& configuration,
                   const MemoryParameters& memory = {});

/// The same for one stage of the program.
Prediction predict_stage(const DeviceProgram& program, std::size_t stage, const abi::Configuration& configuration,
                         const MemoryParameters& memory = {});

/// The same with any memory, for example the recorded beats of another run.
Prediction predict(const DeviceProgram& program, const abi::Configuration& configuration, abi::MemoryTiming& memory);

/// Cores that share the memory and start in the same cycle, each with a run of the program of its own: what each of
/// them counts. Throws as predict(); Error(Usage) for no cores.
std::vector<Prediction> predict_cores(const DeviceProgram& program, const abi::Configuration& configuration,
                                      const MemoryParameters& memory, unsigned cores);

/// The same with any memory; the addresses it sees begin at 0 in every window.
std::vector<Prediction> predict_cores(const DeviceProgram& program, const abi::Configuration& configuration,
                                      abi::SharedMemoryTiming& memory, unsigned cores);

}  // namespace espalier::compile

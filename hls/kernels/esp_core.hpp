// The core: a command list, from its arguments to its result. Commands run in the order of the list, each through one
// DATAFLOW region; only the weight unit works ahead, as far as there is room.
#pragma once

#include <hls_stream.h>

#include <cstdint>

#include "esp_array.hpp"
#include "esp_control.hpp"
#include "esp_sizes.hpp"
#include "esp_transfer.hpp"
#include "esp_weight_unit.hpp"

namespace espalier::kernel {

/// What lasts from run to run; zero at power-on.
template <typename S>
struct Core {
  WeightUnit<S> weight;
  Array<S> array;
};

/// A command of the list as its processes take it: they do nothing where their part of it is empty.
struct ListStep {
  Transfer load, store;  // without planes if the command is another one
  std::uint64_t load_base, store_base;
  ComputeCommand compute;
  bool computes;
  Room room;  // of the weight unit
};

/// The top of the dataflow: weights and loads stream into the array, stores out of it.
template <typename S, typename Source, typename Sink>
void run_step(const ListStep& step, const Source weights, const Source loads, Sink stores, WeightUnit<S>& unit,
              Array<S>& array, ArrayResult& result) {
#pragma HLS DATAFLOW
  hls::stream<WeightItem<S>> items("items");
  hls::stream<Beat> loaded("loaded");
  hls::stream<Beat> stored("stored");
#pragma HLS STREAM variable = items depth = 16
#pragma HLS STREAM variable = loaded depth = 128
#pragma HLS STREAM variable = stored depth = 64
  run_weight_unit<S>(weights, step.room, unit, items);
  read_planes(loads, step.load_base, step.load, loaded);
  run_array<S>(step.load, step.store, step.compute, step.computes, items, loaded, stored, array, result);
  write_planes(stores, step.store_base, step.store, stored);
}

/// A run in progress.
struct Run {
  std::uint32_t position;  // of the next command in the list
  CommandBuffer buffer;    // the burst of commands that it stands in
  Completed completed;
  std::uint32_t lines, slots;  // in the weight store, in the queue of WeightsVector
  std::uint64_t macs;
  RunResult result;
};

/// The run ends at `position` of the list.
inline void fail(Run& run, std::uint32_t position, const Fault& fault) {
  run.result.error = fault.code;
  run.result.position = position;
  run.result.detail = fault.detail;
}

/// The run makes no more progress. The oldest command not completed is at fault: that at `position`, or one of the
/// weight unit before it, for which there is no room.
template <typename S>
void fail_stuck(Run& run, std::uint32_t position, const Arguments& arguments, const WeightUnit<S>& unit) {
  const std::uint32_t oldest = unit.open ? least(position, unit.job.position) : position;
  fail(run, oldest, {abi::ErrorTimeout, arguments.timeout});
}

/// The part of a transfer that memory takes; a fault behind it ends the run.
template <typename S, typename Memory>
Transfer allow_transfer(const Memory memory, const Arguments& arguments, const Transfer& command, bool writes,
                        std::uint32_t position, const WeightUnit<S>& unit, Run& run) {
  const Access access = check_access(memory, window_of(arguments, command.window), command, writes);
  Transfer allowed = command;
  allowed.planes = access.planes;
  const std::uint32_t beats = access.planes * command.run + access.beats;
  if (writes) run.result.write_beats += beats;
  if (!writes) run.result.read_beats += beats;
  if (access.fault.code == abi::ErrorTimeout) {
    fail_stuck(run, position, arguments, unit);
  } else if (access.fault.code != abi::ErrorNone) {
    fail(run, position, access.fault);
  }
  return allowed;
}

/// OpWeight joins the queue of its unit.
template <typename S, typename Memory>
void queue_weight(const Memory memory, const Arguments& arguments, const Beat& beat, std::uint32_t position,
                  WeightUnit<S>& unit, Run& run) {
  const WeightCommand command = weight_of(beat);
  const Transfer transfer = {command.window, 0, command.offset, command.run, 0, 1, 0, false};
  if (unit.queued == abi::CommandQueue) {
    fail_stuck(run, position, arguments, unit);
  } else if (allow_transfer(memory, arguments, transfer, false, position, unit, run).planes == 1) {
    const Window window = window_of(arguments, command.window);
    unit.queue[unit.queued] = {command, window.base + command.offset, position};
    ++unit.queued;
  }
}

/// What the processes do for a command that has passed its checks.
template <typename S, typename Source, typename Sink>
ListStep make_step(const Source weights, const Source loads, const Sink stores, const Arguments& arguments,
                   const Beat& beat, std::uint32_t position, WeightUnit<S>& unit, Run& run) {
  const std::uint32_t opcode = opcode_of(beat);
  const Transfer transfer = transfer_of(beat);
  const std::uint64_t base = window_of(arguments, transfer.window % abi::Windows).base;
  ListStep step = {};
  step.load_base = step.store_base = base;
  step.compute = compute_of(beat);
  step.computes = opcode == abi::OpCompute;
  step.room = {S::LineDepth - run.lines, abi::VectorDepth - run.slots};
  if (step.computes) step.room.lines += chunk_lines<S>(step.compute);
  if (step.computes && step.compute.weights == abi::WeightsVector) step.room.slots += step.compute.slots;
  if (opcode == abi::OpLoad) step.load = allow_transfer(loads, arguments, transfer, false, position, unit, run);
  if (opcode == abi::OpStore) step.store = allow_transfer(stores, arguments, transfer, true, position, unit, run);
  if (opcode == abi::OpWeight) queue_weight(weights, arguments, beat, position, unit, run);
  return step;
}

/// One command of the list.
template <typename S, typename Source, typename Sink>
void run_command(const Source weights, const Source loads, Sink stores, const Arguments& arguments, const Beat& beat,
                 std::uint32_t position, hls::stream<std::uint32_t>& marks, Core<S>& core, Run& run) {
  const Fault broken = check_command<S>(beat);
  if (broken.code != abi::ErrorNone) return fail(run, position, broken);
  if (!waits_met(beat, run.completed, core.weight.completed)) {
    return fail_stuck(run, position, arguments, core.weight);
  }
  const ListStep step = make_step<S>(weights, loads, stores, arguments, beat, position, core.weight, run);
  ArrayResult result = {0, run.lines, run.slots, false};
  run_step<S>(step, weights, loads, stores, core.weight, core.array, result);
  run.lines = result.lines;
  run.slots = result.slots;
  run.macs += result.macs;
  if (result.stuck) return fail_stuck(run, position, arguments, core.weight);
  const std::uint32_t opcode = opcode_of(beat);
  if (opcode == abi::OpLoad) ++run.completed.loads;
  if (opcode == abi::OpCompute) ++run.completed.computes;
  if (opcode == abi::OpStore) ++run.completed.stores;
  if (opcode == abi::OpMark) marks.write(field<abi::CmdLayerLsb, abi::CmdLayerBits>(beat));
}

/// Whether the run has commands left to execute.
inline bool goes_on(const Arguments& arguments, const Run& run) {
  return run.position < arguments.command_count && run.result.error == abi::ErrorNone;
}

/// Before the first command.
template <typename S>
void start_run(const Arguments& arguments, Core<S>& core, Run& run) {
  core.weight.open = false;
  core.weight.queued = 0;
  core.weight.completed = 0;
  core.array.store.head = core.array.store.lines = 0;
  core.array.queue.head = core.array.queue.slots = 0;
  const std::uint32_t wrong = wrong_argument(arguments);
  if (wrong != 0) fail(run, 0, {abi::ErrorArgument, wrong});
}

/// The next command of a run that goes on. Each of the ports is a master of the contract; `loads` and `stores` are the
/// two directions of one. `marks` takes the layer of an OpMark.
template <typename S, typename Source, typename Sink>
void step_run(const Arguments& arguments, const Source commands, const Source weights, const Source loads, Sink stores,
              hls::stream<std::uint32_t>& marks, Core<S>& core, Run& run) {
  const std::uint32_t position = run.position;
  Fault fault = no_fault();
  if (position == 0 || (std::uint64_t{arguments.command_offset} + position) % abi::BurstBeats == 0) {
    fault = fetch_commands(commands, arguments, position, run.buffer, run.result.read_beats);
  }
  if (fault.code == abi::ErrorTimeout) {
    fail_stuck(run, position, arguments, core.weight);
  } else if (fault.code != abi::ErrorNone) {
    fail(run, position, fault);
  } else {
    const Beat beat = run.buffer.beats[position - run.buffer.first];
    run_command<S>(weights, loads, stores, arguments, beat, position, marks, core, run);
  }
  ++run.position;
}

/// The result of a run that does not go on. The weight unit completes a command once its lines are in the store and its
/// slots in the queue.
template <typename S>
RunResult end_run(const Arguments& arguments, const Core<S>& core, Run& run) {
  if (run.result.error == abi::ErrorNone && core.weight.open) {
    fail_stuck(run, arguments.command_count, arguments, core.weight);
  }
  run.result.macs = static_cast<std::uint32_t>(run.macs);
  return run.result;
}

/// A run: from the arguments to the result.
template <typename S, typename Source, typename Sink>
RunResult run_list(const Arguments& arguments, const Source commands, const Source weights, const Source loads,
                   Sink stores, hls::stream<std::uint32_t>& marks, Core<S>& core) {
  Run run = {};
  start_run<S>(arguments, core, run);
  // A trip per command.
  while (goes_on(arguments, run)) {
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 4096
    step_run<S>(arguments, commands, weights, loads, stores, marks, core, run);
  }
  return end_run<S>(arguments, core, run);
}

}  // namespace espalier::kernel

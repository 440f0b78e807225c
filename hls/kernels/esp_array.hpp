// The array: scratchpad, weight store, tables, and what the commands of the list do with them. It is one process
// because lanes, writers, loads and stores share the scratchpad.
#pragma once

#include <hls_stream.h>

#include <cstdint>

#include "esp_commands.hpp"
#include "esp_lane.hpp"
#include "esp_line.hpp"
#include "esp_scratchpad.hpp"
#include "esp_sequencer.hpp"
#include "esp_writer.hpp"

namespace espalier::kernel {

/// Lines of the weight store in the order in which they arrived.
template <typename S>
struct WeightStore {
  Line<S> ring[S::LineDepth];
  std::uint32_t head, lines;
};

/// Slots of WeightsVector that wait for their turn.
template <typename S>
struct VectorQueue {
  VectorSlot<S> ring[abi::VectorDepth];
  std::uint32_t head, slots;
};

template <typename S>
struct Array {
  Scratchpad<S> scratch;
  WeightStore<S> store;
  VectorQueue<S> queue;
  Tables<S> tables;
};

/// What a command of the list did.
struct ArrayResult {
  std::uint64_t macs;   // lane entries executed
  std::uint32_t lines;  // in the weight store
  std::uint32_t slots;  // in the queue of WeightsVector
  bool stuck;           // its lines will not come, or a chain of the write program never ends
};

/// Registers of a compute command.
template <typename S>
struct ComputeState {
  Operands<S> operands[S::Lanes];
  Accumulators<S::Pixels> acc[S::Lanes];
  FinishedRows<S> finished[S::Lanes];
  Writer<S> writers[S::Writers];
  std::uint32_t outstanding;  // results that are not in place
};

inline std::uint32_t ring_index(std::uint32_t head, std::uint32_t ahead, std::uint32_t depth) {
  const std::uint32_t index = head + ahead;
  return index >= depth ? index - depth : index;
}

/// The next item to where it belongs. Returns true if it was the last.
template <typename S>
bool take_item(hls::stream<WeightItem<S>>& items, WeightStore<S>& store, VectorQueue<S>& queue, Tables<S>& tables) {
  const WeightItem<S> item = items.read();
  if (item.kind == ItemLine) {
    store.ring[ring_index(store.head, store.lines, S::LineDepth)] = item.line;
    ++store.lines;
  } else if (item.kind == ItemSlot) {
    queue.ring[ring_index(queue.head, queue.slots, abi::VectorDepth)] = item.slot;
    ++queue.slots;
  } else if (item.kind == ItemTable) {
    write_table(tables, item.format, item.address, item.line.weights);
  }
  return item.kind == ItemEnd;
}

/// What is left for this command of the list; there is room for all of it.
template <typename S>
void take_items(hls::stream<WeightItem<S>>& items, WeightStore<S>& store, VectorQueue<S>& queue, Tables<S>& tables) {
  bool ended = false;
  // II = 1: an item goes to one RAM.
  while (!ended) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 4096
    ended = take_item<S>(items, store, queue, tables);
  }
}

/// A lane before the first slot of a position.
template <typename S>
void start_lane(const ComputeCommand& command, unsigned lane, ComputeState<S>& state) {
  state.finished[lane].next = lane;
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    state.acc[lane].pixel[p] = first_accumulator(command.operation);
  }
}

template <typename S>
void start_compute(const ComputeCommand& command, ComputeState<S>& state) {
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    state.finished[k].first = state.finished[k].count = 0;
    start_lane(command, k, state);
  }
  for (unsigned w = 0; w < S::Writers; ++w) {
#pragma HLS UNROLL
    state.writers[w].taken = state.writers[w].writing = false;
    state.writers[w].turn = 0;
  }
  state.outstanding = 0;
}

/// Whether a lane's row ends in this slot and has no place to wait for a writer.
template <typename S>
bool lanes_full(const ComputeState<S>& state, const std::uint32_t (&entries)[S::Lanes]) {
  bool full = false;
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    full = full || (entry_last(entries[k]) && state.finished[k].count == abi::ResultDepth);
  }
  return full;
}

/// A lane's row ends.
template <typename S>
void finish_row(const ComputeCommand& command, std::uint32_t position, unsigned lane, ComputeState<S>& state) {
  FinishedRows<S>& finished = state.finished[lane];
  FinishedRow<S>& row = finished.rows[(finished.first + finished.count) % abi::ResultDepth];
  row.acc = state.acc[lane];
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    state.acc[lane].pixel[p] = first_accumulator(command.operation);
  }
  row.row = finished.next;
  row.position = position;
  finished.next += S::Lanes;
  ++finished.count;
  ++state.outstanding;
}

/// Operands of the lanes of a group for words of N segments. `first`: weight of the line.
template <typename S, unsigned N>
void segment_operands(const Sequencer& sequencer, const ComputeCommand& command, const Line<S>& line,
                      const std::uint32_t (&entries)[S::Lanes], unsigned group,
                      const Word<S::Pixels> (&read)[abi::Banks], Operands<S> (&operands)[S::Lanes]) {
  const std::uint32_t first = sequencer.in_line * N;  // WeightsBlock: its line is one slot
  const bool broadcast = N > 1 && command.broadcast;
  for (unsigned i = 0; i < abi::LanesPerPort; ++i) {
#pragma HLS UNROLL
    const unsigned k = group * abi::LanesPerPort + i;
    const unsigned bank = (sequencer.base + entry_offset(entries[k])) % abi::Banks;
    if (entry_valid(entries[k])) {
      spread_segments<S, N>(read[bank], line, k, first, broadcast, entry_segment(entries[k]), operands[k]);
    } else {
      no_operands<S>(command, operands[k]);
    }
  }
}

/// The same for WeightsVector.
template <typename S>
void product_operands(const ComputeCommand& command, const VectorSlot<S>& slot,
                      const std::uint32_t (&entries)[S::Lanes], unsigned group,
                      const Word<S::Pixels> (&read)[abi::Banks], Operands<S> (&operands)[S::Lanes]) {
  for (unsigned i = 0; i < abi::LanesPerPort; ++i) {
#pragma HLS UNROLL
    const unsigned k = group * abi::LanesPerPort + i;
    if (entry_valid(entries[k])) {
      vector_operands<S>(slot, k, read, operands[k]);
    } else {
      no_operands<S>(command, operands[k]);
    }
  }
}

/// Operands of the lanes of a group from the words that they read. Splits beyond MaxSplit have been refused.
template <typename S>
void group_operands(const Sequencer& sequencer, const ComputeCommand& command, const Line<S>& line,
                    const VectorSlot<S>& slot, const std::uint32_t (&entries)[S::Lanes], unsigned group,
                    const Word<S::Pixels> (&read)[abi::Banks], Operands<S> (&operands)[S::Lanes]) {
  constexpr unsigned Two = S::MaxSplit >= 2 ? 2 : 1, Four = S::MaxSplit >= 4 ? 4 : 1, Eight = S::MaxSplit >= 8 ? 8 : 1;
  if (S::Coded && command.weights == abi::WeightsVector) {
    product_operands<S>(command, slot, entries, group, read, operands);
  } else if (command.split == 8) {
    segment_operands<S, Eight>(sequencer, command, line, entries, group, read, operands);
  } else if (command.split == 4) {
    segment_operands<S, Four>(sequencer, command, line, entries, group, read, operands);
  } else if (command.split == 2) {
    segment_operands<S, Two>(sequencer, command, line, entries, group, read, operands);
  } else {
    segment_operands<S, 1>(sequencer, command, line, entries, group, read, operands);
  }
}

/// What all lanes multiply in a slot.
template <typename S>
void slot_operands(const Sequencer& sequencer, const ComputeCommand& command, const Line<S>& line,
                   const VectorSlot<S>& slot, const std::uint32_t (&entries)[S::Lanes], const Scratchpad<S>& scratch,
                   Operands<S> (&operands)[S::Lanes]) {
  for (unsigned g = 0; g < S::Groups; ++g) {
#pragma HLS UNROLL
    BankRows rows;
    Word<S::Pixels> read[abi::Banks];
#pragma HLS ARRAY_PARTITION variable = read complete dim = 0
    if (S::Coded && command.weights == abi::WeightsVector) {
      vector_rows<S>(slot, sequencer.base, g, rows);
    } else {
      schedule_rows<S>(entries, sequencer.base, g, rows);
    }
    read_banks<S>(scratch.copies[g], rows, read);
    group_operands<S>(sequencer, command, line, slot, entries, g, read, operands);
  }
}

/// All lanes execute a slot. Returns the entries executed.
template <typename S>
unsigned execute_slot(const Sequencer& sequencer, const ComputeCommand& command, const Line<S>& line,
                      const VectorSlot<S>& slot, const std::uint32_t (&entries)[S::Lanes], const Scratchpad<S>& scratch,
                      ComputeState<S>& state) {
  const bool maximum = takes_maximum(command.operation);
  const bool ends_position = sequencer.slot + 1 == command.slots;
  unsigned executed = 0;
  slot_operands<S>(sequencer, command, line, slot, entries, scratch, state.operands);
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    executed += entry_valid(entries[k]) ? 1 : 0;
    if (maximum) {
      keep_maximum<S>(state.operands[k], state.acc[k]);
    } else {
      multiply_accumulate<S>(state.operands[k], state.acc[k]);
    }
    if (entry_last(entries[k])) finish_row(command, sequencer.position, k, state);
    // Every position starts anew, also after taps that belong to no row.
    if (ends_position) start_lane(command, k, state);
  }
  return executed;
}

/// One cycle of all writers. Returns true if a chain never ends.
template <typename S>
bool step_writers(const ComputeCommand& command, const Tables<S>& tables, ComputeState<S>& state,
                  Scratchpad<S>& scratch) {
  std::uint32_t busy = 0;
  bool endless = false;
  for (unsigned w = 0; w < S::Writers; ++w) {
#pragma HLS UNROLL
    const WriterStep step = step_writer<S>(w, command, tables, state.finished, state.writers[w], busy, scratch);
    if (step.finished) --state.outstanding;
    endless = endless || step.endless;
  }
  return endless;
}

/// Whether what the next slot needs has arrived: its line, or the slot itself.
template <typename S>
bool slot_arrived(const Sequencer& sequencer, bool vector, const Array<S>& array) {
  return vector ? array.queue.slots > 0 : sequencer.line < array.store.lines;
}

/// Entries of the lanes in the next slot, which has arrived.
template <typename S>
void next_entries(const Sequencer& sequencer, const ComputeCommand& command, const Line<S>& line,
                  const VectorSlot<S>& slot, std::uint32_t (&entries)[S::Lanes]) {
  if (S::Coded && command.weights == abi::WeightsVector) {
    for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
      entries[k] = make_entry(0, vector_used(slot, k) != 0, vector_last(slot, k), 0);
    }
  } else {
    slot_entries<S>(sequencer, command, line, entries);
  }
}

/// The oldest line or slot is not needed any more.
template <typename S>
void give_up_oldest(bool vector, WeightStore<S>& store, VectorQueue<S>& queue) {
  if (vector) {
    queue.head = ring_index(queue.head, 1, abi::VectorDepth);
    --queue.slots;
  } else {
    store.head = ring_index(store.head, 1, S::LineDepth);
    --store.lines;
  }
}

/// OpCompute: in a cycle the store takes a line, the lanes execute a slot and the writers write their words.
template <typename S>
void compute(const ComputeCommand& command, hls::stream<WeightItem<S>>& items, Array<S>& array, ArrayResult& result) {
  ComputeState<S> state;
#pragma HLS ARRAY_PARTITION variable = state.operands complete dim = 0
#pragma HLS ARRAY_PARTITION variable = state.acc complete dim = 0
#pragma HLS ARRAY_PARTITION variable = state.finished complete dim = 1
#pragma HLS ARRAY_PARTITION variable = state.writers complete dim = 1
  const std::uint32_t slots = line_slots<S>(command.weights, command.split), row = dense_row(command);
  const bool vector = S::Coded && command.weights == abi::WeightsVector;
  Sequencer sequencer = first_slot<S>(command, row);
  start_compute(command, state);
  std::uint64_t macs = 0;
  bool ended = false;
  // II = 1: accumulators are added to in a cycle; a slot, its line and its words depend on the cycles before by
  // counters only, because no compute command reads words that its own results change, and a lane's place for a
  // finished row and a writer's next entry are known a cycle later.
  while (!result.stuck && !(sequencer.ended && state.outstanding == 0)) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 1048576
#pragma HLS DEPENDENCE variable = array.scratch inter false
    // What this command does not take has room anyway: the weight unit has been told how much there is.
    const bool room = vector ? array.queue.slots < abi::VectorDepth : array.store.lines < S::LineDepth;
    if (!ended && room && !items.empty()) {
      ended = take_item<S>(items, array.store, array.queue, array.tables);
    }
    if (!sequencer.ended && slot_arrived(sequencer, vector, array)) {
      const Line<S>& line = array.store.ring[ring_index(array.store.head, sequencer.line, S::LineDepth)];
      const VectorSlot<S>& slot = array.queue.ring[array.queue.head];
      std::uint32_t entries[S::Lanes];
      next_entries<S>(sequencer, command, line, slot, entries);
      if (!lanes_full(state, entries)) {
        macs += execute_slot<S>(sequencer, command, line, slot, entries, array.scratch, state);
        const bool gives_up = next_slot<S>(sequencer, command, slots, row);
        if (gives_up) give_up_oldest<S>(vector, array.store, array.queue);
      }
    } else if (!sequencer.ended && ended) {
      result.stuck = true;
    }
    if (state.outstanding > 0 && step_writers<S>(command, array.tables, state, array.scratch)) result.stuck = true;
  }
  if (!result.stuck) result.macs += macs;
  if (!ended) take_items<S>(items, array.store, array.queue, array.tables);
}

/// One command of the list. `load`, `store`: without planes if it is another one; `computes`: whether it is OpCompute.
template <typename S>
void run_array(const Transfer& load, const Transfer& store, const ComputeCommand& command, bool computes,
               hls::stream<WeightItem<S>>& items, hls::stream<Beat>& loaded, hls::stream<Beat>& stored, Array<S>& array,
               ArrayResult& result) {
  if (S::Coded && load.replicate) {
    replicate_words<S>(load, loaded, array.scratch);
  } else {
    load_words<S>(load, loaded, array.scratch);
  }
  store_words<S>(store, array.scratch, stored);
  if (computes) {
    compute<S>(command, items, array, result);
  } else {
    take_items<S>(items, array.store, array.queue, array.tables);
  }
  result.lines = array.store.lines;
  result.slots = array.queue.slots;
}

}  // namespace espalier::kernel

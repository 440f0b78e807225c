// The weight unit: OpWeight commands in order, from memory to lines of the weight store and table entries. It runs
// ahead of the list by what the weight store has room for, and keeps its place when that is used up.
#pragma once

#include <hls_stream.h>

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_code_decoder.hpp"
#include "esp_commands.hpp"
#include "esp_line.hpp"
#include "esp_memory.hpp"
#include "esp_vector_decoder.hpp"

namespace espalier::kernel {

/// What the weight unit may write: lines of the weight store, slots of the queue of WeightsVector.
struct Room {
  std::uint64_t lines, slots;
};

/// A command of the weight unit, checked, and the beat at which its run starts.
struct WeightJob {
  WeightCommand command;
  std::uint64_t first;
  std::uint32_t position;  // in the list
};

/// What the unit knows between two commands of the list.
template <typename S>
struct WeightUnit {
  WeightJob queue[abi::CommandQueue];
  unsigned queued;
  bool open;  // `job` has begun and not ended
  WeightJob job;
  std::uint32_t completed;  // commands
  // Beats of the run: one may be left over from the burst before.
  Beat buffer[abi::BurstBeats + 1];
  unsigned held;        // beats
  unsigned cursor;      // 32-bit word of the buffer that comes next
  std::uint32_t taken;  // beats of the run read so far
  // The line under construction.
  Line<S> line;
  std::uint32_t done;  // items
  unsigned slot;       // of the line
  unsigned piece;      // beat of an item that has several
  CodeTable codes;
  CodeDecoder<S> decoder;
  VectorDecoder<S> vector;
};

inline bool fills_store(std::uint32_t format) { return format <= abi::FormatHuffman; }
inline bool coded_stream(std::uint32_t format) { return format == abi::FormatFixed || format == abi::FormatHuffman; }

/// 32-bit words of what one cycle takes: an item, or the part of it in one beat.
template <typename S>
unsigned piece_words(const WeightCommand& command) {
  switch (command.format) {
    case abi::FormatSparse:
      return S::BeatEntries;
    case abi::FormatPacked:
      return 2 * command.value_bits;
    case abi::FormatCode:
    case abi::FormatRow:
      return 1;
    case abi::FormatScale:
    case abi::FormatProgram:
      return 2;
    case abi::FormatPermute:
      return S::Pixels / 4;
    default:
      return abi::WordsPerBeat;
  }
}

/// Whether a line of this command has short entries.
inline bool short_entries(const WeightCommand& command) {
  return command.format == abi::FormatBlock && command.gap_bits == abi::ShortBits;
}

/// Cycles that an item takes.
template <typename S>
unsigned item_pieces(const WeightCommand& command) {
  if (command.format == abi::FormatSparse) return S::EntryBeats;
  if (command.format != abi::FormatBlock) return 1;
  return short_entries(command) ? 2 : 1 + S::EntryBeats;
}

template <typename S>
void begin_job(WeightUnit<S>& unit) {
  unit.job = unit.queue[0];
  for (unsigned i = 0; i + 1 < abi::CommandQueue; ++i) {
#pragma HLS UNROLL
    unit.queue[i] = unit.queue[i + 1];
  }
  --unit.queued;
  unit.open = true;
  unit.held = unit.cursor = unit.slot = unit.piece = 0;
  unit.taken = unit.done = 0;
  begin_decoding(unit.decoder);
  begin_decoding(unit.vector);
}

template <typename S>
void end_job(WeightUnit<S>& unit) {
  unit.open = false;
  ++unit.completed;
}

/// Whether the buffer may hold less than the beat that a cycle needs, and there is more.
template <typename S>
bool wants_beats(const WeightUnit<S>& unit) {
  return unit.taken < unit.job.command.run && unit.held * abi::WordsPerBeat - unit.cursor < abi::WordsPerBeat;
}

/// Reads the next burst behind a beat that is not used up.
template <typename S, typename Memory>
void read_burst(const Memory memory, WeightUnit<S>& unit) {
  const bool keeps = unit.cursor < unit.held * abi::WordsPerBeat;
  if (keeps) unit.buffer[0] = unit.buffer[unit.held - 1];
  unit.cursor = keeps ? unit.cursor % abi::WordsPerBeat : 0;
  unit.held = keeps ? 1 : 0;
  const std::uint32_t beat = unit.job.command.offset + unit.taken;
  const std::uint32_t count = least(unit.job.command.run - unit.taken, abi::BurstBeats - beat % abi::BurstBeats);
  const std::uint64_t first = unit.job.first + unit.taken;
  // One beat a cycle; 1..16 trips.
  for (std::uint32_t i = 0; i < count; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 16
    const Beat value = memory[first + i];
    unit.buffer[unit.held + i] = value;
  }
  unit.held += count;
  unit.taken += count;
}

/// Byte i of a beat from 32-bit word `first` on.
inline std::int8_t byte_of(const Beat& beat, unsigned first, unsigned i) {
  return static_cast<std::int8_t>(word_of(beat, (first + i / 4) % abi::WordsPerBeat) >> (8 * (i % 4)));
}

/// Entries of one beat into slot `slot` of the line, those of lanes from `lane` on.
template <typename S>
void place_entries(Line<S>& line, const Beat& beat, unsigned first, unsigned slot, unsigned lane, bool weights) {
  for (unsigned i = 0; i < S::BeatEntries; ++i) {
#pragma HLS UNROLL
    const std::uint32_t entry = word_of(beat, (first + i) % abi::WordsPerBeat);
    const std::uint32_t segment = weights ? 0 : entry_segment(entry);  // FormatSparse has none
    line.entries[slot * S::Lanes + lane + i] =
        make_entry(entry_offset(entry), entry_valid(entry), entry_last(entry), segment);
    if (weights) line.weights[(lane + i) * S::LineWeights + slot] = static_cast<std::int8_t>(entry);
  }
}

/// Short entries of all lanes.
template <typename S>
void place_short_entries(Line<S>& line, const Beat& beat, unsigned first) {
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    const std::uint32_t entry = word_of(beat, (first + k / 2) % abi::WordsPerBeat) >> (abi::ShortBits * (k % 2));
    line.entries[k] =
        make_entry(part<abi::ShortOffsetLsb, abi::ShortOffsetBits>(entry), part<abi::ShortValidLsb, 1>(entry) != 0,
                   part<abi::ShortLastLsb, 1>(entry) != 0, part<abi::ShortSegmentLsb, 1>(entry));
  }
}

/// 64 symbols of 1, 2 or 4 bits, which never straddle a byte.
template <typename S>
void place_symbols(Line<S>& line, const CodeTable& codes, const Beat& beat, unsigned first, unsigned bits) {
  for (unsigned i = 0; i < abi::BeatBytes; ++i) {
#pragma HLS UNROLL
    const auto byte = static_cast<std::uint8_t>(byte_of(beat, first, i * bits / 8));
    line.weights[i] = symbol_weight(codes.symbols[byte >> (i * bits % 8) & ((1U << bits) - 1)]);
  }
}

/// The bytes of one cycle into the line.
template <typename S>
void place_piece(WeightUnit<S>& unit, const Beat& beat, unsigned first) {
  const std::uint32_t format = unit.job.command.format;
  if (format == abi::FormatSparse) {
    place_entries<S>(unit.line, beat, first, unit.slot, unit.piece * S::BeatEntries, true);
  } else if (short_entries(unit.job.command) && unit.piece > 0) {
    place_short_entries<S>(unit.line, beat, first);
  } else if (format == abi::FormatBlock && unit.piece > 0) {
    place_entries<S>(unit.line, beat, first, 0, (unit.piece - 1) * S::BeatEntries, false);
  } else if (format == abi::FormatPacked) {
    place_symbols<S>(unit.line, unit.codes, beat, first, unit.job.command.value_bits);
  } else {
    for (unsigned i = 0; i < abi::BeatBytes; ++i) {
#pragma HLS UNROLL
      unit.line.weights[i] = byte_of(beat, first, i);
    }
  }
}

/// A table entry to where its table is: codes are the unit's own.
template <typename S>
void emit_entry(WeightUnit<S>& unit, const Beat& beat, unsigned first, hls::stream<WeightItem<S>>& items) {
  const std::uint32_t address = unit.job.command.address + unit.done;
  if (unit.job.command.format == abi::FormatCode) {
    write_code(unit.codes, address, word_of(beat, first));
  } else {
    items.write({ItemTable, unit.job.command.format, address, unit.line, unit.vector.slot});
  }
}

/// What is in the buffer, an item or a beat of it a cycle. Returns true if a line finds no room in the store.
template <typename S>
bool read_pieces(WeightUnit<S>& unit, Room& room, hls::stream<WeightItem<S>>& items) {
  const WeightCommand command = unit.job.command;
  const unsigned words = piece_words<S>(command), pieces = item_pieces<S>(command);
  const bool store = fills_store(command.format);
  const unsigned slots = command.format == abi::FormatSparse ? S::SparseSlots : 1;
  bool blocked = false;
  // II = 1: a piece depends on the one before only by counters. Up to 256 trips, entries of 4 bytes in 16 beats.
  while (!blocked && unit.cursor < unit.held * abi::WordsPerBeat && unit.done < command.items) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 256
    const bool ends_item = unit.piece + 1 == pieces;
    const bool ends_line = ends_item && (unit.slot + 1 == slots || unit.done + 1 == command.items);
    blocked = store && ends_line && room.lines == 0;
    if (!blocked) {
      const Beat beat = unit.buffer[unit.cursor / abi::WordsPerBeat];
      const unsigned first = unit.cursor % abi::WordsPerBeat;
      place_piece(unit, beat, first);
      if (!store) emit_entry(unit, beat, first, items);
      if (store && ends_line) {
        items.write({ItemLine, command.format, 0, unit.line, unit.vector.slot});
        --room.lines;
      }
      unit.cursor += words;
      unit.piece = ends_item ? 0 : unit.piece + 1;
      if (ends_item) ++unit.done;
      if (ends_item) unit.slot = ends_line ? 0 : unit.slot + 1;
    }
  }
  if (unit.done == command.items ||
      (unit.taken == command.run && unit.cursor == unit.held * abi::WordsPerBeat && !blocked)) {
    end_job(unit);
  }
  return blocked;
}

/// What a step has decoded into the line.
template <typename S>
void place_slot(WeightUnit<S>& unit) {
  for (unsigned k = 0; k < S::Lanes; ++k) {
#pragma HLS UNROLL
    unit.line.entries[unit.slot * S::Lanes + k] = unit.decoder.entry[k];
    unit.line.weights[k * S::LineWeights + unit.slot] = unit.decoder.weight[k];
  }
}

/// Rounds of a coded stream, as long as the buffer surely has the words of the next cycle. Returns true if a line finds
/// no room in the store.
template <typename S>
bool read_rounds(WeightUnit<S>& unit, Room& room, hls::stream<WeightItem<S>>& items) {
  const WeightCommand command = unit.job.command;
  const bool all = unit.taken == command.run;
  bool blocked = false;
  bool ended = false;
  // II = 1: a lane's next bits are known within the cycle in which its step is decoded, as in esp_code_decoder. A round
  // takes a cycle for every 16 lanes; 16 beats hold at least one round.
  while (!blocked && !ended && (all || unit.held * abi::WordsPerBeat - unit.cursor >= abi::WordsPerBeat)) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 256
    const bool dry = all && unit.cursor == unit.held * abi::WordsPerBeat;
    ended = unit.decoder.group == 0 && (unit.done == command.items || (dry && decoder_empty(unit.decoder)));
    const bool ends_line = unit.slot + 1 == S::SparseSlots || unit.done + 1 == command.items;
    blocked = !ended && room.lines == 0 && ends_line && unit.decoder.group == 0 && decodes_slot(unit.decoder, command);
    if (!ended && !blocked) {
      const unsigned at = unit.cursor / abi::WordsPerBeat;
      const unsigned left = unit.held * abi::WordsPerBeat - unit.cursor;
      const Beat here = unit.buffer[least(at, abi::BurstBeats)];
      const Beat next = unit.buffer[least(at + 1, abi::BurstBeats)];
      unit.cursor += deal_words(unit.decoder, here, next, unit.cursor % abi::WordsPerBeat, left);
      if (end_round(unit.decoder, unit.codes, command)) {
        place_slot(unit);
        ++unit.done;
        unit.slot = ends_line ? 0 : unit.slot + 1;
        if (ends_line) {
          items.write({ItemLine, command.format, 0, unit.line, unit.vector.slot});
          --room.lines;
        }
      }
    }
  }
  if (ended) end_job(unit);
  return blocked;
}

/// Rounds of a stream of FormatVector, likewise.
template <typename S>
bool read_vector_rounds(WeightUnit<S>& unit, Room& room, hls::stream<WeightItem<S>>& items) {
  const WeightCommand command = unit.job.command;
  const bool all = unit.taken == command.run;
  bool blocked = false;
  bool ended = false;
  // II = 1: as read_rounds(); a slot is complete every round, after 16 lanes a cycle.
  while (!blocked && !ended && (all || unit.held * abi::WordsPerBeat - unit.cursor >= abi::WordsPerBeat)) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 256
    const bool starts = unit.vector.group == 0;
    const bool dry = all && unit.cursor == unit.held * abi::WordsPerBeat;
    ended = starts && (unit.done == command.items || vector_ended(unit.vector, command, dry));
    blocked = !ended && starts && room.slots == 0 && unit.vector.prime == abi::LaneWords - 1;
    if (!ended && !blocked) {
      const unsigned at = unit.cursor / abi::WordsPerBeat;
      const unsigned left = unit.held * abi::WordsPerBeat - unit.cursor;
      const Beat here = unit.buffer[least(at, abi::BurstBeats)];
      const Beat next = unit.buffer[least(at + 1, abi::BurstBeats)];
      unit.cursor +=
          run_vector_group(unit.vector, unit.codes, command, here, next, unit.cursor % abi::WordsPerBeat, left);
      if (end_vector_group(unit.vector)) {
        items.write({ItemSlot, command.format, 0, unit.line, unit.vector.slot});
        ++unit.done;
        --room.slots;
      }
    }
  }
  if (ended) end_job(unit);
  return blocked;
}

/// Reads on in the format of the command. Returns true if there is no room for what comes next.
template <typename S>
bool read_items(WeightUnit<S>& unit, Room& room, hls::stream<WeightItem<S>>& items) {
  const std::uint32_t format = unit.job.command.format;
  if (S::Coded && format == abi::FormatVector) return read_vector_rounds(unit, room, items);
  return S::Coded && coded_stream(format) ? read_rounds(unit, room, items) : read_pieces(unit, room, items);
}

/// One command of the list: all that there is room for, and ItemEnd. `memory` and `unit` are this process's alone.
template <typename S, typename Memory>
void run_weight_unit(const Memory memory, Room room, WeightUnit<S>& unit, hls::stream<WeightItem<S>>& items) {
  bool blocked = false;
  // A trip per burst of every command that is due.
  while (!blocked && (unit.open || unit.queued > 0)) {
#pragma HLS LOOP_TRIPCOUNT min = 0 max = 1024
    if (!unit.open) begin_job(unit);
    if (wants_beats(unit)) read_burst<S>(memory, unit);
    blocked = read_items(unit, room, items);
  }
  items.write({ItemEnd, 0, 0, unit.line, unit.vector.slot});
}

}  // namespace espalier::kernel

// The writers: finished rows through bias, requantisation, write program and permutation to the scratchpad. Writer w of
// W serves the lanes k with k mod W = w.
#pragma once

#include <cstdint>

#include "esp_arithmetic.hpp"
#include "esp_commands.hpp"
#include "esp_scratchpad.hpp"

namespace espalier::kernel {

/// Tables as they stand in memory, a copy for every writer; addresses wrap at their depth.
template <typename S>
struct Tables {
  std::uint32_t rows[S::Writers][abi::RowDepth];
  std::uint64_t scales[S::Writers][abi::ScaleDepth];
  std::uint64_t program[S::Writers][S::ProgramDepth];
  std::uint8_t permutations[S::Writers][abi::PermuteDepth][S::Pixels];
};

/// A finished row that no writer has taken yet.
template <typename S>
struct FinishedRow {
  Accumulators<S::Pixels> acc;
  std::uint32_t row;  // of the chunk: j * K + k
  std::uint32_t position;
};

/// Finished rows of a lane, the oldest first.
template <typename S>
struct FinishedRows {
  FinishedRow<S> rows[abi::ResultDepth];
  unsigned first, count;
  std::uint32_t next;  // number of the lane's next row at its position
};

/// A writer's two stages: a result whose first program entry is not known yet, and one that is being written.
template <typename S>
struct Writer {
  unsigned turn;  // lane of this writer that is asked first
  bool taken, writing;
  std::int8_t taken_word[S::Pixels], word[S::Pixels];
  std::uint32_t taken_place, place;  // entries of the row table
  std::uint32_t first_entry;         // of the write program
  std::uint64_t step;                // the entry being written
  std::uint32_t visited;             // entries before it in the chain
};

/// Entry `address` of a table; `bytes` are those of the item.
template <typename S>
void write_table(Tables<S>& tables, std::uint32_t format, std::uint32_t address,
                 const std::int8_t (&bytes)[abi::BeatBytes]) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) {
#pragma HLS UNROLL
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  }
  for (unsigned w = 0; w < S::Writers; ++w) {
#pragma HLS UNROLL
    if (format == abi::FormatRow) tables.rows[w][address % abi::RowDepth] = static_cast<std::uint32_t>(value);
    if (format == abi::FormatScale) tables.scales[w][address % abi::ScaleDepth] = value;
    if (format == abi::FormatProgram) tables.program[w][address % S::ProgramDepth] = value;
    if (format == abi::FormatPermute) {
      for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
        tables.permutations[w][address % abi::PermuteDepth][p] = static_cast<std::uint8_t>(bytes[p]);
      }
    }
  }
}

/// OperationMacReduce, OperationMaxReduce: every pixel gets the sum or maximum of its segment, in steps that each join
/// neighbouring halves.
template <unsigned P>
void reduce_segments(std::uint32_t operation, std::uint32_t split, std::int32_t (&acc)[P]) {
  const bool maximum = operation == abi::OperationMaxReduce;
  for (unsigned distance = 1; distance < P; distance *= 2) {
#pragma HLS UNROLL
    std::int32_t joined[P];
    for (unsigned p = 0; p < P; ++p) {
#pragma HLS UNROLL
      const std::int32_t other = acc[p ^ distance];
      const std::int32_t larger = other > acc[p] ? other : acc[p];
      joined[p] = maximum ? larger : abi::accumulate(acc[p], other);
    }
    for (unsigned p = 0; p < P; ++p) {
#pragma HLS UNROLL
      if (distance * split < P) acc[p] = joined[p];
    }
  }
}

/// One pixel: an accumulator and the scale of its segment to a byte.
inline std::int8_t requantise_pixel(const ComputeCommand& command, std::uint64_t scale, std::int32_t acc) {
  const std::uint32_t multiplier = part<abi::ScaleMultiplierLsb, abi::ScaleMultiplierBits>(scale);
  const std::uint32_t shift = part<abi::ScaleShiftLsb, abi::ScaleShiftBits>(scale);
  const auto bias = static_cast<std::int32_t>(part<abi::ScaleBiasLsb, abi::ScaleBiasBits>(scale));
  const abi::AddOperands operands = abi::separate_add(acc);
  const std::int8_t sum = abi::residual_add(static_cast<std::int8_t>(operands.a), static_cast<std::int8_t>(operands.b),
                                            command.zero_a, command.zero_b, multiplier, command.multiplier_b, shift,
                                            command.zero, command.low, command.high);
  const std::int8_t scaled =
      abi::requantise(abi::accumulate(acc, bias), multiplier, shift, command.zero, command.low, command.high);
  return command.operation == abi::OperationAdd ? sum : scaled;
}

/// A finished row to a word.
template <typename S>
void post_process(const ComputeCommand& command, const std::uint64_t (&table)[abi::ScaleDepth],
                  const FinishedRow<S>& result, std::int8_t (&word)[S::Pixels]) {
  std::int32_t acc[S::Pixels];
  std::uint64_t scales[S::MaxSplit];
  const std::uint32_t first = command.scale + result.row * command.split;
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    acc[p] = result.acc.pixel[p];
  }
  for (unsigned g = 0; g < S::MaxSplit; ++g) {
#pragma HLS UNROLL
    scales[g] = table[(first + g) % abi::ScaleDepth];
  }
  if (command.operation == abi::OperationMacReduce || command.operation == abi::OperationMaxReduce) {
    reduce_segments(command.operation, command.split, acc);
  }
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    word[p] = requantise_pixel(command, scales[p * command.split / S::Pixels], acc[p]);
  }
}

/// The oldest finished row of the lane whose turn it is, or of the next that has one, is taken.
template <typename S>
void take_result(unsigned writer, const ComputeCommand& command, const Tables<S>& tables,
                 FinishedRows<S> (&finished)[S::Lanes], Writer<S>& state) {
  constexpr unsigned Served = S::Lanes / S::Writers;
  unsigned chosen = 0;
  bool any = false;
  for (unsigned i = 0; i < Served; ++i) {
#pragma HLS UNROLL
    const unsigned lane = (state.turn + i) % Served;
    if (!any && finished[lane * S::Writers + writer].count > 0) {
      chosen = lane;
      any = true;
    }
  }
  if (!any) return;
  FinishedRows<S>& lane = finished[chosen * S::Writers + writer];
  const FinishedRow<S>& result = lane.rows[lane.first];
  post_process(command, tables.scales[writer], result, state.taken_word);
  state.taken_place = tables.rows[writer][(command.row + result.row) % abi::RowDepth];
  const std::uint32_t step = part<abi::RowStepLsb, abi::RowStepBits>(state.taken_place);
  state.first_entry = command.program + result.position * command.unroll + step;
  state.taken = true;
  state.turn = (chosen + 1) % Served;
  lane.first = (lane.first + 1) % abi::ResultDepth;
  --lane.count;
}

/// The word under the write program's entry to every copy; bytes that the permutation keeps are not written.
template <typename S>
void write_word(const Writer<S>& state, const ComputeCommand& command, const std::uint8_t (&permutation)[S::Pixels],
                std::uint32_t address, Scratchpad<S>& scratch) {
  const std::uint32_t bank = address % abi::Banks, row = bank_row<S>(address);
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    const unsigned source = part<abi::PermuteSourceLsb, abi::PermuteSourceBits>(permutation[p]);
    const unsigned mode = part<abi::PermuteModeLsb, abi::PermuteModeBits>(permutation[p]);
    const std::int8_t fill = static_cast<std::int8_t>(command.fill);
    const std::int8_t byte = mode == abi::PermuteCopy ? state.word[source % S::Pixels] : fill;
    if (mode == abi::PermuteCopy || mode == abi::PermuteFill) {
      for (unsigned g = 0; g < S::Groups; ++g) {
#pragma HLS UNROLL
        scratch.copies[g][row][bank][p] = byte;
      }
    }
  }
}

/// What one step of a writer did.
struct WriterStep {
  bool finished;  // a result has all its words
  bool endless;   // its chain visits more entries than the table has
};

/// One cycle of a writer: a word is written unless a writer before it uses its bank (`busy`), then the stages move up.
template <typename S>
WriterStep step_writer(unsigned writer, const ComputeCommand& command, const Tables<S>& tables,
                       FinishedRows<S> (&finished)[S::Lanes], Writer<S>& state, std::uint32_t& busy,
                       Scratchpad<S>& scratch) {
  WriterStep result = {false, false};
  if (state.writing) {
    const std::uint32_t address = command.output + part<abi::RowOutputLsb, abi::RowOutputBits>(state.place) +
                                  part<abi::ProgramOffsetLsb, abi::ProgramOffsetBits>(state.step);
    const bool drop = part<abi::ProgramDropLsb, 1>(state.step) != 0;
    const std::uint32_t bank = 1U << (address % abi::Banks);
    const bool goes = drop || (busy & bank) == 0;
    if (goes && !drop) {
      const std::uint32_t permutation = part<abi::ProgramPermuteLsb, abi::ProgramPermuteBits>(state.step) +
                                        part<abi::RowPermuteLsb, abi::RowPermuteBits>(state.place);
      busy |= bank;
      write_word(state, command, tables.permutations[writer][permutation % abi::PermuteDepth], address, scratch);
    }
    if (goes) {
      const std::uint32_t next = part<abi::ProgramNextLsb, abi::ProgramNextBits>(state.step);
      ++state.visited;
      result.endless = next != 0 && state.visited == S::ProgramDepth;
      result.finished = next == 0;
      state.writing = next != 0;
      state.step = tables.program[writer][next % S::ProgramDepth];
    }
  }
  if (!state.writing && state.taken) {
    for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
      state.word[p] = state.taken_word[p];
    }
    state.place = state.taken_place;
    state.step = tables.program[writer][state.first_entry % S::ProgramDepth];
    state.visited = 0;
    state.writing = true;
    state.taken = false;
  }
  if (!state.taken) take_result(writer, command, tables, finished, state);
  return result;
}

}  // namespace espalier::kernel

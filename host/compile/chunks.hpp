// Rows cut into chunks that fit the weight store and the tables, with their weight streams.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/rows.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// How a step reads words.
enum class StreamMode {
  Dense,   // all lanes the same word per slot, all weights
  Sparse,  // every lane its own word, non-zero weights only; all channels of a row share the weight
  Block,   // every lane its own word, taps at which a channel of the row has a weight
};

/// Columns of positions scheduled `unroll` at a time; count is a multiple of unroll.
struct Stretch {
  int x = 0;
  int count = 1;
  int unroll = 1;
};

/// The columns [x, x + width) as one stretch of `unroll`, and the rest as another.
std::vector<Stretch> stretches_of(int x, int width, int unroll);

/// A weight stream for one stretch, and the tables of its rows.
struct Stream {
  abi::Command weights;  // format and items of the OpWeight
  abi::Command compute;  // weights, split, flags, taps and tail lanes of the OpCompute
  std::vector<std::uint8_t> bytes;
  std::vector<abi::Row> rows;           // entry j * K + k
  std::vector<abi::ScaleEntry> scales;  // entry (j * K + k) * split + segment
  int slots = 0;
  int lower_bound = 0;      // slots
  double coded_bits = 0;    // without what is left empty at the ends of words and beats; 0: all of the bytes
  double entropy_bits = 0;  // zero order, of its symbols
};

/// Rows, or planes, [first, first + count).
struct Range {
  int first = 0;
  int count = 0;
};

/// What a chunk planner needs to know.
struct ChunkProblem {
  const StepRows* rows = nullptr;
  abi::Configuration configuration;
  std::vector<OperandView> views;
  int output_pitch = 1;    // words between output planes
  Range piece;             // rows to compute
  int output_plane = 0;    // plane of the output image at the output address
  int most_rows = 0;       // of a chunk with private words; 0: any
  double beat_cycles = 1;  // of the memory
};

/// Cuts a piece into chunks. A chunk takes at most half of the weight store where rows are short enough.
std::vector<Range> cut_dense(const ChunkProblem& problem);
std::vector<Range> cut_private(const ChunkProblem& problem, const std::vector<Row>& rows, int unroll);

/// The stream of a chunk. Private words (Sparse, Block): `rows` are those of the chunk.
Stream dense_stream(const ChunkProblem& problem, Range chunk, const Pass& pass);
Stream private_stream(const ChunkProblem& problem, Range chunk, const std::vector<Row>& rows, const Pass& pass,
                      const Stretch& stretch);

/// Slots of all positions of a step if it is streamed this way, estimated from the fullest lanes.
struct SlotEstimate {
  double cycles = 0;
  int unroll = 1;
  double beats = 0;  // of the weight streams, once
  double slots = 0;  // of all positions
};
SlotEstimate estimate_dense(const ChunkProblem& problem, int height, int width, int strips);
/// The best unroll factor for a width x height rectangle of positions.
SlotEstimate estimate_private(const ChunkProblem& problem, const std::vector<Row>& rows, int height, int width,
                              int strips);

}  // namespace espalier::compile

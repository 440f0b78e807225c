// Streams of FormatVector: the rows of a sparse matrix, each lane's in their natural order.
//
//   const VectorCode code = vector_code(rows, columns, configuration, memory);
//   const VectorStream stream = vector_stream(rows, columns, code, configuration);
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "esp_memory_model.hpp"

namespace espalier::compile {

/// The weights of a row that are not 0, columns ascending.
struct VectorRow {
  std::vector<std::uint32_t> columns;
  std::vector<std::int8_t> weights;
};

/// Widths of the symbols, and the values of weights.
struct VectorCode {
  unsigned gap_bits = 1;
  unsigned value_bits = 8;                 // less: `weights` go to the first entries of the code table
  std::vector<std::int8_t> weights;        // of the values
  std::array<std::uint8_t, 256> values{};  // by weight + 128, modulo 256
  double bits = 0;                         // of all symbols
  double entropy_bits = 0;                 // zero order, of gaps and values
};

/// The code by which the rows are estimated to be read in the fewest cycles.
VectorCode vector_code(std::span<const VectorRow> rows, std::uint32_t columns, const abi::Configuration& configuration,
                       const abi::MemoryParameters& memory);

/// A stream, and which row is row j of lane k: element j * K + k, or -1.
struct VectorStream {
  std::vector<std::uint8_t> bytes;
  std::uint32_t slots = 0;
  std::vector<int> rows;
  double rounds = 0;  // cycles of the weight unit

  /// Cycles until the stream is read, estimated.
  double cycles(const abi::MemoryParameters& memory) const;
};

/// At most `most` rows of a lane; the longest rows are given out first, each to the lane with the fewest symbols.
VectorStream vector_stream(std::span<const VectorRow> rows, std::uint32_t columns, const VectorCode& code,
                           std::size_t most, const abi::Configuration& configuration);

}  // namespace espalier::compile

// In which format the weights of a step lie in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/chunks.hpp"
#include "compile/compile.hpp"
#include "compile/weight_code.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// A stream, and how often it is read and computed.
struct StreamUse {
  Stream* stream = nullptr;
  double reads = 1;
  double positions = 1;  // of all reads
};

/// What a step's streams are decoded with: entries for the code table, from `first` on; none if they are raw.
struct CodedWeights {
  std::vector<std::uint32_t> table;
  unsigned first = CodeTableFirst;
};

/// Chooses the format of a step's streams, of FormatSparse or FormatDense, by estimated cycles of array, weight unit
/// and memory (Auto), or takes the smallest of the kind that is told, and codes them. Their code table is loaded
/// `table_loads` times. Streams of FormatBlock, dense ones of more than 16 values, and all of machines without coded
/// weights, stay as they are. Fills in the entropy of every stream.
CodedWeights code_weights(const std::vector<StreamUse>& uses, double table_loads, WeightFormat format,
                          const abi::Configuration& configuration, const MemoryParameters& memory);

/// Zero-order entropy of weights in their own order: of the gaps between those that are not zero, and of their values.
double natural_entropy_bits(const std::vector<std::int8_t>& weights);

}  // namespace espalier::compile

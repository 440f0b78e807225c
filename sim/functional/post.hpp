// Post-processing: accumulators and the scales of a row to a word, and the word through a permutation to its
// destination.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "esp_abi.hpp"
#include "esp_arithmetic.hpp"
#include "functional/lane.hpp"

namespace espalier::functional {

template <std::size_t P>
using Word = std::array<std::int8_t, P>;

/// The reductions of OperationMacReduce and OperationMaxReduce: one value over the pixels of each of `split` segments,
/// given to every one of them.
template <std::size_t P>
Accumulators<P> reduce(unsigned operation, unsigned split, Accumulators<P> acc) {
  const std::size_t length = P / split;  // NOLINT(clang-analyzer-core.DivideZero): commands with split 0 are refused
  for (std::size_t from = 0; from < P; from += length) {
    const std::span<std::int32_t> segment(acc.data() + from, length);
    if (operation == abi::OperationMacReduce) {
      std::int32_t sum = 0;
      for (const std::int32_t value : segment) sum = abi::accumulate(sum, value);
      std::fill(segment.begin(), segment.end(), sum);
    } else if (operation == abi::OperationMaxReduce) {
      const std::int32_t maximum = *std::max_element(segment.begin(), segment.end());
      std::fill(segment.begin(), segment.end(), maximum);
    }
  }
  return acc;
}

/// Requantisation of one result. `scales`: one per segment.
template <std::size_t P>
Word<P> requantise(const abi::Command& command, std::span<const abi::ScaleEntry> scales, const Accumulators<P>& acc) {
  Word<P> word;
  const std::size_t length = P / scales.size();
  for (std::size_t p = 0; p < P; ++p) {
    const abi::ScaleEntry& scale = scales[p / length];
    if (command.operation == abi::OperationAdd) {
      const abi::AddOperands operands = abi::separate_add(acc[p]);
      word[p] = abi::residual_add(static_cast<std::int8_t>(operands.a), static_cast<std::int8_t>(operands.b),
                                  command.zero_a, command.zero_b, scale.multiplier, command.multiplier_b, scale.shift,
                                  command.zero, command.low, command.high);
    } else {
      word[p] = abi::requantise(abi::accumulate(acc[p], scale.bias), scale.multiplier, scale.shift, command.zero,
                                command.low, command.high);
    }
  }
  return word;
}

/// Writes `word` over `destination` (P bytes) as `permutation` (P bytes) says.
template <std::size_t P>
void permute_write(const Word<P>& word, const std::uint8_t* permutation, std::int8_t fill, std::int8_t* destination) {
  for (std::size_t p = 0; p < P; ++p) {
    const unsigned source = permutation[p] & ((1U << abi::PermuteSourceBits) - 1);
    const unsigned mode = permutation[p] >> abi::PermuteModeLsb;
    if (mode == abi::PermuteCopy) destination[p] = word[source % P];
    if (mode == abi::PermuteFill) destination[p] = fill;
  }
}

}  // namespace espalier::functional

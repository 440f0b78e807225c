// Post-processing: accumulators and a parameter row to a word, and the word through a permutation to its destination.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "esp_abi.hpp"
#include "esp_arithmetic.hpp"
#include "functional/lane.hpp"

namespace espalier::functional {

template <std::size_t P>
using Word = std::array<std::int8_t, P>;

/// The reductions of OperationMacReduce and OperationMaxReduce: one value over the P pixels, given to every pixel.
template <std::size_t P>
Accumulators<P> reduce(unsigned operation, Accumulators<P> acc) {
  if (operation == abi::OperationMacReduce) {
    std::int32_t sum = 0;
    for (const std::int32_t value : acc) sum = abi::accumulate(sum, value);
    acc.fill(sum);
  } else if (operation == abi::OperationMaxReduce) {
    acc.fill(*std::max_element(acc.begin(), acc.end()));
  }
  return acc;
}

/// Requantisation of one result.
template <std::size_t P>
Word<P> requantise(const abi::Command& command, const abi::Parameter& parameter, const Accumulators<P>& acc) {
  Word<P> word;
  if (command.operation == abi::OperationAdd) {
    for (std::size_t p = 0; p < P; ++p) {
      const abi::AddOperands operands = abi::separate_add(acc[p]);
      word[p] = abi::residual_add(static_cast<std::int8_t>(operands.a), static_cast<std::int8_t>(operands.b),
                                  command.zero_a, command.zero_b, parameter.multiplier, command.multiplier_b,
                                  parameter.shift, command.zero, command.low, command.high);
    }
  } else {
    for (std::size_t p = 0; p < P; ++p) {
      word[p] = abi::requantise(abi::accumulate(acc[p], parameter.bias), parameter.multiplier, parameter.shift,
                                command.zero, command.low, command.high);
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

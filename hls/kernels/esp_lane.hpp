// The lanes: a word and the weights of a slot, multiplied and accumulated, P pixels a lane.
#pragma once

#include <cstdint>

#include "esp_arithmetic.hpp"
#include "esp_commands.hpp"
#include "esp_line.hpp"
#include "esp_scratchpad.hpp"

namespace espalier::kernel {

inline bool takes_maximum(std::uint32_t operation) {
  return operation == abi::OperationMax || operation == abi::OperationMaxReduce;
}

/// What a row starts from.
inline std::int32_t first_accumulator(std::uint32_t operation) { return takes_maximum(operation) ? -128 : 0; }

/// Operands of a tap in a word of N segments, each with its weight; with `broadcast` one segment is given to all.
template <unsigned P, unsigned N, unsigned MaxSplit>
void spread_segments(const std::int8_t (&word)[P], const std::int8_t (&weights)[MaxSplit], bool broadcast,
                     unsigned segment, std::int8_t (&a)[P], std::int8_t (&w)[P]) {
  constexpr unsigned Length = P / N;
  for (unsigned g = 0; g < N; ++g) {
#pragma HLS UNROLL
    const unsigned source = broadcast ? segment % N : g;
    for (unsigned i = 0; i < Length; ++i) {
#pragma HLS UNROLL
      a[g * Length + i] = word[source * Length + i];
      w[g * Length + i] = weights[g];
    }
  }
}

/// Operands of every pixel for a split of 1, 2, 4 or 8. Splits beyond MaxSplit have been refused.
template <unsigned P, unsigned MaxSplit>
void spread(const std::int8_t (&word)[P], const std::int8_t (&weights)[MaxSplit], const ComputeCommand& command,
            unsigned segment, std::int8_t (&a)[P], std::int8_t (&w)[P]) {
  switch (command.split) {
    case 2:
      return spread_segments < P, MaxSplit >= 2 ? 2 : 1 > (word, weights, command.broadcast, segment, a, w);
    case 4:
      return spread_segments < P, MaxSplit >= 4 ? 4 : 1 > (word, weights, command.broadcast, segment, a, w);
    case 8:
      return spread_segments < P, MaxSplit >= 8 ? 8 : 1 > (word, weights, command.broadcast, segment, a, w);
    default:
      return spread_segments<P, 1>(word, weights, command.broadcast, segment, a, w);
  }
}

/// acc = sum of a * w, wrapping, or max of a * w.
template <unsigned P>
void multiply_accumulate(const std::int8_t (&a)[P], const std::int8_t (&w)[P], bool maximum, std::int32_t (&acc)[P]) {
  for (unsigned p = 0; p < P; ++p) {
#pragma HLS UNROLL
    const auto product = static_cast<std::int16_t>(a[p] * w[p]);  // 16 bits hold it
    const std::int32_t sum = abi::accumulate(acc[p], product);
    const std::int32_t larger = product > acc[p] ? product : acc[p];
    acc[p] = maximum ? larger : sum;
  }
}

/// The words that the lanes read in a slot. Each copy of the scratchpad serves its 8 lanes through a multicast
/// crossbar: lanes that meet in a bank read the same word, by the schedule.
template <typename S>
void route_words(const std::uint32_t (&entries)[S::Lanes], std::uint32_t base, const Scratchpad<S>& scratch,
                 std::int8_t (&words)[S::Lanes][S::Pixels]) {
  for (unsigned g = 0; g < S::Groups; ++g) {
#pragma HLS UNROLL
    std::uint32_t row[abi::Banks];
    std::int8_t read[abi::Banks][S::Pixels];
#pragma HLS ARRAY_PARTITION variable = row complete
#pragma HLS ARRAY_PARTITION variable = read complete dim = 0
    std::uint32_t wanted = 0;
    for (unsigned i = 0; i < abi::LanesPerPort; ++i) {
#pragma HLS UNROLL
      const std::uint32_t entry = entries[g * abi::LanesPerPort + i];
      const std::uint32_t address = base + entry_offset(entry);
      if (entry_valid(entry)) row[address % abi::Banks] = bank_row<S>(address);
      if (entry_valid(entry)) wanted |= 1U << (address % abi::Banks);
    }
    for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
      if ((wanted >> bank & 1U) != 0) {
        for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
          read[bank][p] = scratch.copies[g][bank][row[bank]][p];
        }
      }
    }
    for (unsigned i = 0; i < abi::LanesPerPort; ++i) {
#pragma HLS UNROLL
      const std::uint32_t entry = entries[g * abi::LanesPerPort + i];
      const unsigned bank = (base + entry_offset(entry)) % abi::Banks;
      if (entry_valid(entry)) {
        for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
          words[g * abi::LanesPerPort + i][p] = read[bank][p];
        }
      }
    }
  }
}

}  // namespace espalier::kernel

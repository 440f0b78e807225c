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

/// The rows of the banks of one copy that are read in a cycle.
struct BankRows {
  std::uint32_t row[abi::Banks];
  std::uint32_t wanted;  // a bit for each bank
};

/// Lanes that meet in a bank read the same word, by the schedule: a multicast crossbar for every 8 lanes.
template <typename S>
BankRows schedule_rows(const std::uint32_t (&entries)[S::Lanes], std::uint32_t base, unsigned group) {
  BankRows rows;
  rows.wanted = 0;
  for (unsigned i = 0; i < abi::LanesPerPort; ++i) {
#pragma HLS UNROLL
    const std::uint32_t entry = entries[group * abi::LanesPerPort + i];
    const std::uint32_t address = base + entry_offset(entry);
    if (entry_valid(entry)) rows.row[address % abi::Banks] = bank_row<S>(address);
    if (entry_valid(entry)) rows.wanted |= 1U << (address % abi::Banks);
  }
  return rows;
}

/// WeightsVector: lane m of the group reads banks 2 m and 2 m + 1.
template <typename S>
BankRows vector_rows(const VectorSlot<S>& slot, std::uint32_t base, unsigned group) {
  BankRows rows;
  rows.wanted = 0;
  for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
    const unsigned lane = group * abi::LanesPerPort + bank / 2;
    rows.row[bank] = (base / abi::Banks + vector_word(slot, lane, bank % 2)) % S::BankRows;
    if (vector_used(slot, lane) > bank % 2) rows.wanted |= 1U << bank;
  }
  return rows;
}

/// The words of one copy that are read in a cycle.
template <typename S>
void read_banks(const std::int8_t (&banks)[abi::Banks][S::BankRows][S::Pixels], const BankRows& rows,
                std::int8_t (&read)[abi::Banks][S::Pixels]) {
  for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
    if ((rows.wanted >> bank & 1U) != 0) {
      for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
        read[bank][p] = banks[bank][rows.row[bank]][p];
      }
    }
  }
}

/// Operands of the products of WeightsVector: that of symbol i is in pixel i * P / V, the others are 0.
template <typename S>
void vector_operands(const VectorSlot<S>& slot, unsigned lane, const std::int8_t (&read)[abi::Banks][S::Pixels],
                     std::int8_t (&a)[S::Pixels], std::int8_t (&w)[S::Pixels]) {
  constexpr unsigned Spread = S::Pixels / S::VectorProducts;
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    const unsigned product = p / Spread;
    const unsigned place = vector_place(slot, lane, product);
    const unsigned bank = lane % abi::LanesPerPort * 2 + place / S::Pixels % 2;
    const std::int8_t weight = slot.weights[lane * S::LineWeights + product];
    const bool multiplies = p % Spread == 0 && vector_used(slot, lane) != 0;
    a[p] = multiplies ? read[bank][place % S::Pixels] : std::int8_t{0};
    w[p] = multiplies ? weight : std::int8_t{0};
  }
}

}  // namespace espalier::kernel

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

/// What a row starts from; a pixel of this value changes no maximum.
inline std::int8_t first_accumulator(std::uint32_t operation) {
  return takes_maximum(operation) ? std::int8_t{-128} : std::int8_t{0};
}

/// Pixels that share a weight in every split.
template <typename S>
constexpr unsigned granule_pixels() {
  return S::Pixels / S::MaxSplit;
}

/// What the multipliers of a lane take in a cycle: a word, and a weight for every granule of it.
template <typename S>
struct Operands {
  Word<S::Pixels> a;
  std::int8_t w[S::MaxSplit];
};

/// Operands of a word of N segments, each with its weight: weight `first` of the lane in the line and those behind it.
/// With `broadcast` one segment is given to all.
template <typename S, unsigned N>
void spread_segments(const Word<S::Pixels>& word, const Line<S>& line, unsigned lane, unsigned first, bool broadcast,
                     unsigned segment, Operands<S>& operands) {
  constexpr unsigned Length = S::Pixels / N;
  for (unsigned q = 0; q < S::MaxSplit; ++q) {
#pragma HLS UNROLL
    operands.w[q] = line.weights[lane * S::LineWeights + (first + q * N / S::MaxSplit) % S::LineWeights];
  }
  if (broadcast) {
    std::int8_t shared[Length];
    for (unsigned i = 0; i < Length; ++i) {
#pragma HLS UNROLL
      shared[i] = word.pixel[segment % N * Length + i];
    }
    for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
      operands.a.pixel[p] = shared[p % Length];
    }
  } else {
    operands.a = word;
  }
}

/// Operands of a lane without an entry: they change neither sums nor maxima.
template <typename S>
void no_operands(const ComputeCommand& command, Operands<S>& operands) {
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    operands.a.pixel[p] = first_accumulator(command.operation);
  }
  for (unsigned q = 0; q < S::MaxSplit; ++q) {
#pragma HLS UNROLL
    operands.w[q] = 0;
  }
}

/// Operands of the products of WeightsVector: that of symbol i is in pixel i * P / V, the others are 0.
template <typename S>
void vector_operands(const VectorSlot<S>& slot, unsigned lane, const Word<S::Pixels> (&read)[abi::Banks],
                     Operands<S>& operands) {
  constexpr unsigned Spread = S::Pixels / S::VectorProducts, Granules = S::MaxSplit / S::VectorProducts;
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    const unsigned place = vector_place(slot, lane, p / Spread);
    const unsigned bank = lane % abi::LanesPerPort * 2 + place / S::Pixels % 2;
    operands.a.pixel[p] = p % Spread == 0 ? read[bank].pixel[place % S::Pixels] : std::int8_t{0};
  }
  for (unsigned q = 0; q < S::MaxSplit; ++q) {
#pragma HLS UNROLL
    operands.w[q] = slot.weights[lane * S::LineWeights + q / Granules];
  }
}

/// acc = sum of a * w, wrapping. Products are made before the first sum changes, which lets plain compilers use
/// vectors.
template <typename S>
void multiply_accumulate(const Operands<S>& operands, Accumulators<S::Pixels>& acc) {
  std::int16_t product[S::Pixels];  // 16 bits hold it
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    product[p] = static_cast<std::int16_t>(operands.a.pixel[p] * operands.w[p / granule_pixels<S>()]);
  }
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    acc.pixel[p] = abi::accumulate(acc.pixel[p], product[p]);
  }
}

/// acc = max of a.
template <typename S>
void keep_maximum(const Operands<S>& operands, Accumulators<S::Pixels>& acc) {
  std::int32_t a[S::Pixels];
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    a[p] = operands.a.pixel[p];
  }
  for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
    acc.pixel[p] = a[p] > acc.pixel[p] ? a[p] : acc.pixel[p];
  }
}

/// The rows of the banks of one copy that are read in a cycle; those that nobody wants are 0.
struct BankRows {
  std::uint32_t row[abi::Banks];
};

/// Lanes that meet in a bank read the same word, by the schedule: a multicast crossbar for every 8 lanes.
template <typename S>
void schedule_rows(const std::uint32_t (&entries)[S::Lanes], std::uint32_t base, unsigned group, BankRows& rows) {
  for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
    rows.row[bank] = 0;
  }
  for (unsigned i = 0; i < abi::LanesPerPort; ++i) {
#pragma HLS UNROLL
    const std::uint32_t entry = entries[group * abi::LanesPerPort + i];
    const std::uint32_t address = base + entry_offset(entry);
    if (entry_valid(entry)) rows.row[address % abi::Banks] = bank_row<S>(address);
  }
}

/// WeightsVector: lane m of the group reads banks 2 m and 2 m + 1.
template <typename S>
void vector_rows(const VectorSlot<S>& slot, std::uint32_t base, unsigned group, BankRows& rows) {
  for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
    const unsigned lane = group * abi::LanesPerPort + bank / 2;
    rows.row[bank] = (base / abi::Banks + vector_word(slot, lane, bank % 2)) % S::BankRows;
  }
}

/// The words of one copy that are read in a cycle.
template <typename S>
void read_banks(const std::int8_t (&banks)[S::BankRows][abi::Banks][S::Pixels], const BankRows& rows,
                Word<S::Pixels> (&read)[abi::Banks]) {
  for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
    Word<S::Pixels> word;
    for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
      word.pixel[p] = banks[rows.row[bank]][bank][p];
    }
    read[bank] = word;
  }
}

}  // namespace espalier::kernel

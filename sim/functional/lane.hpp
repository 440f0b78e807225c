// One lane: entries and scratchpad words to accumulators of P pixels.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "esp_abi.hpp"
#include "esp_arithmetic.hpp"

namespace espalier::functional {

inline constexpr unsigned MaxSplit = 8;

template <std::size_t P>
using Accumulators = std::array<std::int32_t, P>;

/// A valid entry of a lane, in the order of its slots. Its weights, one per segment, stand beside it.
struct Tap {
  std::uint16_t offset = 0;
  std::uint16_t segment = 0;  // with FlagBroadcast: the segment that is read
};

/// A finished row of a lane: taps [first, end) of that lane.
struct RowTaps {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

/// The taps of a row and their weights: `split` for each tap.
struct RowSlots {
  std::span<const Tap> taps;
  const std::int16_t* weights = nullptr;
};

constexpr bool takes_maximum(unsigned operation) {
  return operation == abi::OperationMax || operation == abi::OperationMaxReduce;
}

/// Scratchpad of mask + 1 words (a power of two) of P bytes, read at base + offset; addresses wrap.
struct Scratchpad {
  const std::int8_t* bytes = nullptr;
  std::size_t mask = 0;
};

/// Products a * w of a tap: S segments with a weight each, or with Broadcast one of the S segments given to all of
/// them.
template <std::size_t P, std::size_t S, bool Broadcast>
std::array<std::int16_t, P> products(const std::int8_t* word, const Tap& tap, const std::int16_t* weights) {
  constexpr std::size_t Length = P / S;
  std::array<std::int16_t, P> result;
  if constexpr (S == 1) {
    for (std::size_t p = 0; p < P; ++p) {
      result[p] = static_cast<std::int16_t>(static_cast<std::int16_t>(word[p]) * weights[0]);
    }
  } else {
    for (std::size_t g = 0; g < S; ++g) {
      const std::int8_t* segment = word + (Broadcast ? tap.segment % S : g) * Length;
      for (std::size_t i = 0; i < Length; ++i) {
        result[g * Length + i] = static_cast<std::int16_t>(static_cast<std::int16_t>(segment[i]) * weights[g]);
      }
    }
  }
  return result;
}

/// acc = sum of a * w over the taps, wrapping: an unsigned sum of products, each of which fits in 16 bits.
template <std::size_t P, std::size_t S, bool Broadcast>
Accumulators<P> multiply_accumulate(const Scratchpad& scratch, std::size_t base, const RowSlots& row) {
  std::array<std::uint32_t, P> acc{};
  const std::int8_t* bytes = scratch.bytes;
  const std::size_t mask = scratch.mask;
  const std::int16_t* weights = row.weights;
  for (const Tap& tap : row.taps) {
    const auto product = products<P, S, Broadcast>(bytes + ((base + tap.offset) & mask) * P, tap, weights);
    for (std::size_t p = 0; p < P; ++p) acc[p] += static_cast<std::uint32_t>(static_cast<std::int32_t>(product[p]));
    weights += S;
  }
  Accumulators<P> result;
  for (std::size_t p = 0; p < P; ++p) result[p] = static_cast<std::int32_t>(acc[p]);
  return result;
}

/// acc = max of a over the taps, from -128; weights are not used.
template <std::size_t P, std::size_t S, bool Broadcast>
Accumulators<P> maximum(const Scratchpad& scratch, std::size_t base, const RowSlots& row) {
  constexpr std::size_t Length = P / S;
  std::array<std::int8_t, P> acc;
  acc.fill(-128);
  for (const Tap& tap : row.taps) {
    const std::int8_t* word = scratch.bytes + ((base + tap.offset) & scratch.mask) * P;
    if constexpr (S > 1 && Broadcast) {
      for (std::size_t p = 0; p < P; ++p) acc[p] = std::max(acc[p], word[tap.segment % S * Length + p % Length]);
    } else {
      for (std::size_t p = 0; p < P; ++p) acc[p] = std::max(acc[p], word[p]);
    }
  }
  Accumulators<P> result;
  for (std::size_t p = 0; p < P; ++p) result[p] = acc[p];
  return result;
}

/// One row of a lane at one position.
template <std::size_t P>
using RowFunction = Accumulators<P> (*)(const Scratchpad& scratch, std::size_t base, const RowSlots& row);

template <std::size_t P, std::size_t S, bool Broadcast>
constexpr RowFunction<P> row_function(unsigned operation) {
  return takes_maximum(operation) ? maximum<P, S, Broadcast> : multiply_accumulate<P, S, Broadcast>;
}

/// The function that runs the rows of a command: its operation, split and FlagBroadcast.
template <std::size_t P>
RowFunction<P> row_function(const abi::Command& command) {
  const bool broadcast = (command.flags & abi::FlagBroadcast) != 0;
  switch (command.split) {
    case 2:
      return broadcast ? row_function<P, 2, true>(command.operation) : row_function<P, 2, false>(command.operation);
    case 4:
      return broadcast ? row_function<P, 4, true>(command.operation) : row_function<P, 4, false>(command.operation);
    case 8:
      return broadcast ? row_function<P, 8, true>(command.operation) : row_function<P, 8, false>(command.operation);
    default:
      return row_function<P, 1, false>(command.operation);
  }
}

}  // namespace espalier::functional

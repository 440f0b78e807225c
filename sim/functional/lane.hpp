// One lane: entries and scratchpad words to accumulators of P pixels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "esp_abi.hpp"
#include "esp_arithmetic.hpp"

namespace espalier::functional {

template <std::size_t P>
using Accumulators = std::array<std::int32_t, P>;

/// A valid entry of a lane, in the order of its slots.
struct Tap {
  std::uint16_t offset = 0;
  std::int16_t weight = 0;
};

/// A finished row of a lane: taps [first, end) of that lane.
struct Row {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

constexpr bool takes_maximum(unsigned operation) {
  return operation == abi::OperationMax || operation == abi::OperationMaxReduce;
}

/// acc = sum of a * w over the taps. Products of two int8 pairs stay inside int32 lanes; unsigned sums wrap.
template <std::size_t P>
Accumulators<P> multiply_accumulate(const std::int8_t* scratch, std::size_t mask, std::size_t base,
                                    std::span<const Tap> taps) {
  std::array<std::uint32_t, P> acc{};
  for (const Tap& tap : taps) {
    const std::int8_t* word = scratch + ((base + tap.offset) & mask) * P;
    for (std::size_t p = 0; p < P; ++p) {
      const auto product = static_cast<std::int16_t>(static_cast<std::int16_t>(word[p]) * tap.weight);
      acc[p] += static_cast<std::uint32_t>(static_cast<std::int32_t>(product));
    }
  }
  Accumulators<P> result;
  for (std::size_t p = 0; p < P; ++p) result[p] = static_cast<std::int32_t>(acc[p]);
  return result;
}

/// acc = max of a * w over the taps, from -128.
template <std::size_t P>
Accumulators<P> multiply_maximum(const std::int8_t* scratch, std::size_t mask, std::size_t base,
                                 std::span<const Tap> taps) {
  std::array<std::int16_t, P> acc;
  acc.fill(-128);
  for (const Tap& tap : taps) {
    const std::int8_t* word = scratch + ((base + tap.offset) & mask) * P;
    for (std::size_t p = 0; p < P; ++p) {
      const auto product = static_cast<std::int16_t>(static_cast<std::int16_t>(word[p]) * tap.weight);
      acc[p] = product > acc[p] ? product : acc[p];
    }
  }
  Accumulators<P> result;
  for (std::size_t p = 0; p < P; ++p) result[p] = acc[p];
  return result;
}

/// One row of a lane at one position. `scratch` holds mask + 1 words (a power of two) of P bytes; addresses wrap.
template <std::size_t P>
Accumulators<P> run_row(unsigned operation, const std::int8_t* scratch, std::size_t mask, std::size_t base,
                        std::span<const Tap> taps) {
  return takes_maximum(operation) ? multiply_maximum<P>(scratch, mask, base, taps)
                                  : multiply_accumulate<P>(scratch, mask, base, taps);
}

}  // namespace espalier::functional

// The integer operators beside convolutions, on maps with their channels innermost. The arithmetic is that of
// esp_arithmetic.hpp, bit for bit.
//
// Values are held 128 higher than in the network, as uint8, which is what the processor multiplies by int8 weights.
// Zero points and clamps of the features and layers given here are shifted, too: see shifted().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/network.hpp"

namespace espalier::cpu::onednn {

/// The network with every zero point and every clamp 128 higher.
model::Network shifted(model::Network network);

/// requantise() of many sums. A product of less than 2^53 is exact in float64, and so are its scaling by a power of two
/// and its rounding to the nearest even integer: then the processor's vector units for float64 give the contract's
/// bits.
class Requantiser {
 public:
  /// `scales`: per channel; `most`: no sum of that channel is larger in magnitude.
  Requantiser(std::span<const abi::Scale> scales, std::span<const std::int64_t> most, const model::Layer& layer,
              std::int32_t zero);

  /// `sums` and `results`: pixels times channels.
  void run(const std::int32_t* sums, std::uint8_t* results, std::size_t pixels) const;

 private:
  std::uint8_t one(std::int32_t sum, std::size_t channel) const;

  std::vector<abi::Scale> scales_;
  std::vector<double> factors_;       // of the channels, repeated until blocks are full
  std::vector<std::size_t> inexact_;  // channels with products that may not be exact
  std::int32_t zero_, low_, high_;
};

/// Maps of one layer: sizes with the window's, channels innermost.
struct IntegerMaps {
  const model::Layer& layer;
  const model::Feature& in;
  const model::Feature& out;
};

/// Both maps have 16 bytes behind them that may be read and written.
void max_pool(const IntegerMaps& maps, const std::uint8_t* source, std::uint8_t* result);
/// Windows have at most the taps that `layer` says.
void average_pool(const IntegerMaps& maps, const std::uint8_t* source, std::uint8_t* result);
void residual_add(const IntegerMaps& maps, const model::Feature& other, const std::uint8_t* a, const std::uint8_t* b,
                  std::uint8_t* result);
/// Element by element, by `scale`.
void requantise(const IntegerMaps& maps, const abi::Scale& scale, const std::uint8_t* source, std::uint8_t* result);

/// Between int8 in the order channel, row, column and the shifted values in the order row, column, channel.
void to_channels_last(const model::Feature& feature, const std::int8_t* source, std::uint8_t* result);
void to_channels_first(const model::Feature& feature, const std::uint8_t* source, std::int8_t* result);

}  // namespace espalier::cpu::onednn

// What the kernels for AVX-512 with VNNI share: who may use them, and how int32 sums become results.
//
// One instruction multiplies four uint8 by four int8 and adds the products to an int32 lane; nothing saturates. Sums of
// whole layers are below 2^31 (model::validate), so that partial sums may wrap. All is bit for bit the arithmetic of
// esp_arithmetic.hpp on the shifted values of integer_kernels.hpp.
//
// Written by hand because oneDNN writes int32 sums to memory and cannot apply the contract's requantisation: on small
// layers storing and reading the sums takes longer than making them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/network.hpp"

namespace espalier::cpu::onednn {

/// True if the processor has the instructions, and the variable DNNL_MAX_CPU_ISA does not forbid them.
bool vnni_in_use();

/// Bytes that a kernel may read, or skip under a mask, behind the last element of a map.
constexpr std::size_t MapSlack = 64;

/// Channels that are computed together: the int32 lanes of one register.
constexpr std::size_t LaneCount = 16;

inline std::size_t lane_blocks(int channels) {
  return (static_cast<std::size_t>(channels) + LaneCount - 1) / LaneCount;
}

/// Constants of a layer's requantisation, padded to whole blocks of lanes.
struct VnniRequantisation {
  std::vector<double> factors;
  std::int32_t zero = 0, low = 0, high = 255;
};

/// True if every product of a sum and its multiplier is below 2^53 and every result below 2^31 before it is clamped:
/// then a product in float64, rounded once to an integer, has the contract's bits.
bool fits_float64(const model::Layer& layer, std::span<const std::int64_t> largest_sums);

VnniRequantisation vnni_requantisation(const model::Layer& layer, const model::Feature& out);

/// The bias of every channel less zero * sum of its weights, padded to whole blocks: the sum of value * weight over
/// uint8 values continues from there.
std::vector<std::int32_t> vnni_bias(const model::Layer& layer, const model::Feature& in);

/// A residual add in float32: results = clamp(zero + round((a - zero_a) * factor_a + b * factor_b + offset)).
struct VnniAdd {
  float factor_a = 0, factor_b = 0, offset = 0;
  std::int32_t zero_a = 0, zero = 0, low = 0, high = 255;

  /// The constants of a layer of kind Add on shifted features.
  static VnniAdd of(const model::Layer& layer, const model::Feature& a, const model::Feature& b,
                    const model::Feature& out);

  /// `count` elements; all three have MapSlack behind them.
  void run(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* results, std::size_t count) const;
};

/// True if `add` gives the contract's bits for all of the 65,536 pairs of operands; they are tried.
bool is_exact(const VnniAdd& add, const model::Layer& layer, const model::Feature& a, const model::Feature& b,
              const model::Feature& out);

}  // namespace espalier::cpu::onednn

// A beat of memory: 64 bytes, the width of every AXI4 master.
#pragma once

#include <ap_int.h>

#include <cstdint>

#include "esp_constants.hpp"

namespace espalier::kernel {

using Beat = ap_uint<abi::BeatBytes * 8>;

/// Bits [Lsb + Bits - 1 : Lsb] of a beat.
template <unsigned Lsb, unsigned Bits>
std::uint32_t field(const Beat& beat) {
  static_assert(Bits <= 32, "a field of a command");
  return static_cast<std::uint32_t>(beat.range(static_cast<int>(Lsb + Bits) - 1, static_cast<int>(Lsb)).to_uint64());
}

/// The same as a two's complement number.
template <unsigned Lsb, unsigned Bits>
std::int32_t signed_field(const Beat& beat) {
  return static_cast<std::int32_t>(field<Lsb, Bits>(beat) << (32 - Bits)) >> (32 - Bits);
}

/// 32-bit word `index` of a beat.
inline std::uint32_t word_of(const Beat& beat, unsigned index) {
  const int low = static_cast<int>(index * 32);
  return static_cast<std::uint32_t>(beat.range(low + 31, low).to_uint64());
}

/// Bits [Lsb + Bits - 1 : Lsb] of a table entry.
template <unsigned Lsb, unsigned Bits>
constexpr std::uint32_t part(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> Lsb & ((std::uint64_t{1} << Bits) - 1));
}

constexpr std::uint32_t least(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }
constexpr std::uint32_t most(std::uint32_t a, std::uint32_t b) { return a > b ? a : b; }

}  // namespace espalier::kernel

// The steps on registers that the kernels for VNNI are made of. Only for their source files, on x86-64.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "cpu/onednn/vnni.hpp"

// Every function that uses the instructions says so; it is called only where vnni_in_use().
#define ESP_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define ESP_VNNI_INLINE ESP_VNNI inline __attribute__((always_inline))
#define ESP_UNROLL _Pragma("GCC unroll 16")

namespace espalier::cpu::onednn {

/// The lanes of block `block` that are channels.
inline std::uint16_t lane_mask(std::size_t channels, std::size_t block) {
  const std::size_t first = block * LaneCount;
  if (first >= channels) return 0;
  return channels - first >= LaneCount ? std::uint16_t{0xffff}
                                       : static_cast<std::uint16_t>((1U << (channels - first)) - 1);
}

/// Eight sums by the factors of their channels. The conversion rounds to nearest, ties to even.
ESP_VNNI_INLINE __m256i rounded(__m256i sums, const double* factors) {
  return _mm512_cvtpd_epi32(_mm512_mul_pd(_mm512_cvtepi32_pd(sums), _mm512_loadu_pd(factors)));
}

/// 16 sums as signed words in the order 0..3, 8..11, 4..7, 12..15, saturated, which no later clamp can tell.
ESP_VNNI_INLINE __m256i rounded_words(__m512i sums, const double* factors) {
  return _mm256_packs_epi32(rounded(_mm512_castsi512_si256(sums), factors),
                            rounded(_mm512_extracti64x4_epi64(sums, 1), factors + 8));
}

/// 16 sums in their order.
ESP_VNNI_INLINE __m512i rounded_lanes(__m512i sums, const double* factors) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(rounded(_mm512_castsi512_si256(sums), factors)),
                            rounded(_mm512_extracti64x4_epi64(sums, 1), factors + 8), 1);
}

/// What follows the rounding of words: zero point and clamp.
struct WordClamp {
  __m256i zero, low, high;

  ESP_VNNI explicit WordClamp(const VnniRequantisation& constants)
      : zero(_mm256_set1_epi16(static_cast<short>(constants.zero))),
        low(_mm256_set1_epi8(static_cast<char>(constants.low))),
        high(_mm256_set1_epi8(static_cast<char>(constants.high))) {}

  /// Two times 16 words as bytes: of the first, then of the second, 8 at a time.
  ESP_VNNI_INLINE __m256i bytes(__m256i first, __m256i second) const {
    const __m256i both = _mm256_packus_epi16(_mm256_adds_epi16(first, zero), _mm256_adds_epi16(second, zero));
    return _mm256_min_epu8(_mm256_max_epu8(both, low), high);
  }
};

/// The constants of an add, and those of the requantisation of its first operand.
struct AddLanes {
  __m512 factor_a, factor_b, offset;
  __m512i zero, low;
  __m128i high;

  ESP_VNNI explicit AddLanes(const VnniAdd& add)
      : factor_a(_mm512_set1_ps(add.factor_a)),
        factor_b(_mm512_set1_ps(add.factor_b)),
        offset(_mm512_set1_ps(add.offset)),
        zero(_mm512_set1_epi32(add.zero)),
        low(_mm512_set1_epi32(add.low)),
        high(_mm_set1_epi8(static_cast<char>(add.high))) {}

  /// `a` less its zero point, as 16 lanes; `b`: 16 bytes.
  ESP_VNNI_INLINE __m128i sum(__m512i a, __m512i b) const {
    const __m512 from_b = _mm512_fmadd_ps(_mm512_cvtepi32_ps(b), factor_b, offset);
    const __m512i both = _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(a), factor_a, from_b));
    return _mm_min_epu8(_mm512_cvtusepi32_epi8(_mm512_max_epi32(_mm512_add_epi32(both, zero), low)), high);
  }
};

/// 16 bytes as lanes; those behind a map are read, too.
ESP_VNNI_INLINE __m512i widened(const std::uint8_t* source) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source)));
}

/// The bytes of the channels of `mask`.
ESP_VNNI_INLINE void store(std::uint8_t* result, std::uint16_t mask, __m128i bytes) {
  if (mask == 0xffff)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(result), bytes);
  else
    _mm_mask_storeu_epi8(result, mask, bytes);
}

}  // namespace espalier::cpu::onednn

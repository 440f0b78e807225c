// The steps on registers that the kernels for VNNI are made of. Only for their source files, on x86-64.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "cpu/onednn/vnni.hpp"

// Every function that uses the instructions says so; it is called only where vnni_in_use().
#define ESP_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define ESP_VNNI_INLINE ESP_VNNI inline __attribute__((always_inline))

namespace espalier::cpu::onednn {

/// The lanes of block `block` that are channels.
inline std::uint16_t lane_mask(std::size_t channels, std::size_t block) {
  const std::size_t left = channels - block * LaneCount;
  return left >= LaneCount ? std::uint16_t{0xffff} : static_cast<std::uint16_t>((1U << left) - 1);
}

ESP_VNNI_INLINE __m512i clamped(__m512i values, std::int32_t low, std::int32_t high) {
  return _mm512_min_epi32(_mm512_max_epi32(values, _mm512_set1_epi32(low)), _mm512_set1_epi32(high));
}

/// Of 16 sums, with the factors of their channels. The conversion rounds to nearest, ties to even.
ESP_VNNI_INLINE __m512i requantised(__m512i sums, const double* factors, const VnniRequantisation& constants) {
  const __m512d first = _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(sums)), _mm512_loadu_pd(factors));
  const __m512d second =
      _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(sums, 1)), _mm512_loadu_pd(factors + 8));
  const __m512i rounded =
      _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtpd_epi32(first)), _mm512_cvtpd_epi32(second), 1);
  return clamped(_mm512_add_epi32(rounded, _mm512_set1_epi32(constants.zero)), constants.low, constants.high);
}

ESP_VNNI_INLINE __m512i added(__m512i a, __m512i b, const VnniAdd& add) {
  const __m512 from_b =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(b), _mm512_set1_ps(add.factor_b), _mm512_set1_ps(add.offset));
  const __m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(a), _mm512_set1_ps(add.factor_a), from_b);
  return clamped(_mm512_add_epi32(_mm512_cvtps_epi32(sum), _mm512_set1_epi32(add.zero)), add.low, add.high);
}

/// 16 bytes as lanes; those behind a map are read, too.
ESP_VNNI_INLINE __m512i widened(const std::uint8_t* source) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source)));
}

/// The low bytes of the lanes of `mask`.
ESP_VNNI_INLINE void store(std::uint8_t* result, std::uint16_t mask, __m512i lanes) {
  const __m128i bytes = _mm512_cvtepi32_epi8(lanes);
  if (mask == 0xffff)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(result), bytes);
  else
    _mm_mask_storeu_epi8(result, mask, bytes);
}

}  // namespace espalier::cpu::onednn

// Evidence for the tie rule of the contract: how often do its results differ from the two other formulas in use?
//
//   bench_tie_rule [samples]     default 200 million; prints counts, fails if a difference exceeds one step
//
// (a) ONNX QLinearConv as float32 code evaluates it: saturate(round half to even(float(acc) * float scale) + zero).
// (b) TFLite: scale = M * 2^e with M a 31-bit mantissa, saturating rounding doubling high multiplication, then rounding
//     division by a power of two, both half away from zero (gemmlowp, fixedpoint.h; Jacob et al. 2018).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "esp_arithmetic.hpp"

namespace {

namespace abi = espalier::abi;

/// SplitMix64.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

int onnx_result(std::int32_t acc, float scale, int zero) {
  const float level = std::nearbyint(static_cast<float>(acc) * scale) + static_cast<float>(zero);
  return static_cast<int>(std::clamp(level, -128.0F, 127.0F));
}

/// SaturatingRoundingDoublingHighMul: round(a * b / 2^31), half away from zero.
std::int32_t high_multiply(std::int32_t a, std::int32_t b) {
  const std::int64_t product = std::int64_t{a} * b;
  const std::int64_t nudge = product >= 0 ? (1 << 30) : (1 - (1 << 30));
  return static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
}

/// RoundingDivideByPOT: round(x / 2^exponent), half away from zero.
std::int32_t divide_by_power(std::int32_t x, int exponent) {
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  const std::int32_t rest = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (rest > threshold ? 1 : 0);
}

int tflite_result(std::int32_t acc, float scale, int zero) {
  int exponent = 0;
  const double mantissa = std::frexp(static_cast<double>(scale), &exponent);
  const auto fixed = static_cast<std::int64_t>(std::llround(mantissa * 2147483648.0));
  const auto multiplier = static_cast<std::int32_t>(fixed == (std::int64_t{1} << 31) ? fixed / 2 : fixed);
  if (fixed == (std::int64_t{1} << 31)) ++exponent;
  const std::int32_t shifted = exponent > 0 ? acc << exponent : acc;
  const std::int32_t level = divide_by_power(high_multiply(shifted, multiplier), exponent > 0 ? 0 : -exponent);
  return std::clamp(level + zero, -128, 127);
}

struct Count {
  std::uint64_t different = 0;
  int largest = 0;
  void add(int a, int b) {
    const int distance = std::abs(a - b);
    different += distance != 0 ? 1U : 0U;
    largest = std::max(largest, distance);
  }
};

struct Sweep {
  const char* name;
  Count onnx, tflite;
};

void report(const Sweep& sweep, std::uint64_t samples) {
  std::printf("%-44s %12llu samples: ONNX float32 differs in %llu (largest %d), TFLite in %llu (largest %d)\n",
              sweep.name, static_cast<unsigned long long>(samples),
              static_cast<unsigned long long>(sweep.onnx.different), sweep.onnx.largest,
              static_cast<unsigned long long>(sweep.tflite.different), sweep.tflite.largest);
}

/// `draw` gives the accumulator and the scale of one sample.
template <typename Draw>
Sweep run(const char* name, std::uint64_t samples, Draw&& draw) {
  Sweep sweep{name, {}, {}};
  std::uint64_t state = 1;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto [acc, real] = draw(state);
    const abi::Scale scale = abi::make_scale(static_cast<double>(real));
    const int zero = static_cast<int>(next(state) % 256) - 128;
    const int result = abi::requantise(acc, scale.multiplier, scale.shift, zero, -128, 127);
    sweep.onnx.add(result, onnx_result(acc, real, zero));
    sweep.tflite.add(result, tflite_result(acc, real, zero));
  }
  report(sweep, samples);
  return sweep;
}

struct Sample {
  std::int32_t acc;
  float scale;
};

float mantissa(std::uint64_t& state) { return 1.0F + static_cast<float>(next(state) >> 41) * 0x1p-23F; }

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t samples = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 200000000;
  if (samples < 2) {
    std::fputs("usage: bench_tie_rule [samples], at least 2\n", stderr);
    return 2;
  }
  // Accumulators spread over +-200 output steps, scales as networks have them: 2^-20 .. 2^-4.
  const Sweep typical = run("any float32 scale in 2^-20..2^-4", samples / 2, [](std::uint64_t& state) {
    const float scale = std::ldexp(mantissa(state), -20 + static_cast<int>(next(state) % 16));
    const double steps = static_cast<double>(next(state) >> 11) * 0x1p-53 * 400 - 200;
    return Sample{static_cast<std::int32_t>(steps / static_cast<double>(scale)), scale};
  });
  // Powers of two: every half is a tie, the worst case for a tie rule.
  const Sweep ties = run("powers of two in 2^-8..2^-1 (many ties)", samples / 2, [](std::uint64_t& state) {
    const int shift = 1 + static_cast<int>(next(state) % 8);
    const auto range = std::int32_t{200} << shift;
    const auto acc = static_cast<std::int32_t>(next(state) % static_cast<std::uint64_t>(2 * range)) - range;
    return Sample{acc, std::ldexp(1.0F, -shift)};
  });
  const bool bounded =
      std::max({typical.onnx.largest, typical.tflite.largest, ties.onnx.largest, ties.tflite.largest}) <= 1;
  std::puts(bounded ? "no result differs by more than one step" : "FAILED: a result differs by more than one step");
  return bounded ? 0 : 1;
}

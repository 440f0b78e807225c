// esp_requantise: every pixel is the contract's, for all shifts, at the boundaries of rounding and clamping, with rests
// between the steps, during which pixels stay; where the lower 16 bits do not count, they have no say
#include <algorithm>

#include "Vesp_requantise_p16_g4.h"
#include "Vesp_requantise_p1_g1.h"
#include "Vesp_requantise_p8_g2.h"
#include "esp_arithmetic.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

constexpr int LongestShift = 63;
constexpr int ValueBits = 57;

/// A value near a tie or a whole result of this shift, or any.
std::int64_t interesting(Random& random, unsigned shift) {
  const std::int64_t most = (std::int64_t{1} << ValueBits) - 1;
  if (shift > 0 && shift < ValueBits - 2 && random.chance(0.7)) {
    const int room = std::min(10, ValueBits - 2 - static_cast<int>(shift));
    const std::int64_t halves = random.between(-(1 << room), 1 << room);
    return std::clamp(halves * (std::int64_t{1} << (shift - 1)) + random.between(-1, 1), -most, most);
  }
  const auto bits = static_cast<unsigned>(random.between(1, ValueBits));
  const auto value = static_cast<std::int64_t>(random.engine()() >> (64 - bits));
  return random.chance(0.5) ? value : -value;
}

template <typename Top>
void run(unsigned pixels, unsigned granule) {
  for_each_pressure([&](double idle, double) {
    Random random(1);
    Bench<Top> bench(random);
    std::vector<std::uint8_t> held(pixels);
    bool started = false;
    for (int i = 0; i < 4000; ++i) {
      const bool step = !random.chance(idle);
      const bool whole = random.chance(0.3);
      const std::int32_t zero = random.byte();
      std::int32_t low = random.chance(0.5) ? -128 : random.byte(), high = random.chance(0.5) ? 127 : random.byte();
      if (low > high) std::swap(low, high);
      bench->step_i = step;
      bench->whole_i = whole;
      set(bench->zero_i, 0, 8, static_cast<std::uint8_t>(zero));
      set(bench->low_i, 0, 8, static_cast<std::uint8_t>(low));
      set(bench->high_i, 0, 8, static_cast<std::uint8_t>(high));
      std::vector<unsigned> shifts;
      for (unsigned q = 0; q < pixels / granule; ++q) {
        shifts.push_back(static_cast<unsigned>(random.between(whole ? 17 : 0, LongestShift)));
        set(bench->shift_i, 6 * q, 6, shifts.back());
      }
      for (unsigned p = 0; p < pixels; ++p) {
        const unsigned shift = shifts[p / granule];
        const std::int64_t given = interesting(random, shift);
        set(bench->value_i, 64 * p, 64, static_cast<std::uint64_t>(given));
        const std::int64_t value = whole ? given & ~std::int64_t{0xffff} : given;
        if (step) held[p] = static_cast<std::uint8_t>(abi::saturate(abi::round_shift(value, shift), zero, low, high));
      }
      bench.clock();
      started = started || step;
      if (started) ASSERT_EQ(get_bytes(bench->pixel_o, pixels), held) << "step " << i;
    }
  });
}

TEST(Requantise, PixelsAreThoseOfTheContract) {
  run<Vesp_requantise_p1_g1>(1, 1);
  run<Vesp_requantise_p8_g2>(8, 2);
  run<Vesp_requantise_p16_g4>(16, 4);
}

}  // namespace
}  // namespace espalier::test

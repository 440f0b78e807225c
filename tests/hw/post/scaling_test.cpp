// esp_scaling, as plain arithmetic and with DSP48E2 primitives on a model of their documented function: accumulators by
// the multiplier of their granule, and two operands by one each, at the ends of their ranges, with rests between the
// steps, during which values stay
#include "Vesp_scaling_dsp_p8_g2.h"
#include "Vesp_scaling_p16_g4.h"
#include "Vesp_scaling_p2_g1.h"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

template <typename Top>
void run(unsigned pixels, unsigned granule) {
  for_each_pressure([&](double idle, double) {
    Random random(1);
    Bench<Top> bench(random);
    const auto number = [&](unsigned bits) {
      const std::uint64_t ends[] = {0, (std::uint64_t{1} << bits) - 1, std::uint64_t{1} << (bits - 1),
                                    (std::uint64_t{1} << (bits - 1)) - 1};
      return random.chance(0.3) ? ends[random.between(0, 3)] : random.engine()() >> (64 - bits);
    };
    std::vector<std::int64_t> held(pixels);
    bool adds_held = false, started = false;
    for (int i = 0; i < 4000; ++i) {
      const bool step = !random.chance(idle), adds = random.chance(0.4);
      bench->step_i = step;
      bench->adds_i = adds;
      const std::uint64_t high_scale = number(24);
      put(bench->high_scale_i, high_scale);
      std::vector<std::uint64_t> scales;
      for (unsigned q = 0; q < pixels / granule; ++q) {
        scales.push_back(number(24));
        set(bench->scale_i, 24 * q, 24, scales.back());
      }
      for (unsigned p = 0; p < pixels; ++p) {
        // Operands of additions are int8 values less their zero points.
        const auto operand = [&] { return static_cast<std::uint64_t>(random.between(-255, 255)) & 0xffff; };
        const std::uint64_t low = adds ? operand() : number(16), high = adds ? operand() : number(16);
        set(bench->low_i, 16 * p, 16, low);
        set(bench->high_i, 16 * p, 16, high);
        if (!step) continue;
        const auto scale = static_cast<std::int64_t>(scales[p / granule]);
        const auto signed_low = static_cast<std::int64_t>(static_cast<std::int16_t>(low));
        const auto signed_high = static_cast<std::int64_t>(static_cast<std::int16_t>(high));
        const auto whole = static_cast<std::int32_t>(high << 16 | low);  // the accumulator
        held[p] = adds ? (signed_low * scale + signed_high * static_cast<std::int64_t>(high_scale)) * (1 << 17)
                       : whole * scale;
      }
      bench.clock();
      if (step) adds_held = adds;
      started = started || step;
      // Of sums of two operands the lower 16 bits do not count.
      const unsigned first = adds_held ? 16 : 0;
      for (unsigned p = 0; started && p < pixels; ++p)
        ASSERT_EQ(get(bench->value_o, 64 * p + first, 64 - first), static_cast<std::uint64_t>(held[p]) >> first)
            << "step " << i << ", pixel " << p;
    }
  });
}

TEST(Scaling, ProductsAreWhole) {
  run<Vesp_scaling_p2_g1>(2, 1);
  run<Vesp_scaling_p16_g4>(16, 4);
}

TEST(Scaling, PrimitivesGiveTheSame) { run<Vesp_scaling_dsp_p8_g2>(8, 2); }

}  // namespace
}  // namespace espalier::test

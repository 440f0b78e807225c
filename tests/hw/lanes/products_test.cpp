// esp_products, as plain arithmetic and with DSP48E2 primitives on a model of their documented function
//   - packed: both products of all 2^24 operand triples (two pixels and their weight) are exact
//   - sums wrap modulo 2^32 at both ends, in every field, and do not disturb their neighbours
//   - rows of random length are summed with rests between the steps
#include "Vesp_products_packed_p16_g4.h"
#include "Vesp_products_packed_p2_g2.h"
#include "Vesp_products_plain_p16_g4.h"
#include "Vesp_products_single_p2_g1.h"
#include "esp_arithmetic.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

std::int32_t sum_of(auto& bench, unsigned pixel) {
  return static_cast<std::int32_t>(get(bench->sum_o, 32 * pixel, 32));
}

TEST(Products, AllOperandTriplesAreSeparated) {
  Random random(1);
  Bench<Vesp_products_packed_p2_g2> bench(random);
  auto& top = bench.top();
  top.step_i = top.first_i = 1;
  struct Expected {
    std::uint32_t low = 0, high = 0;
  };
  std::array<Expected, 2> pipe;
  constexpr std::uint32_t Triples = 1U << 24;
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < Triples + 1; ++i) {
    const auto low = static_cast<std::int8_t>(i);
    const auto high = static_cast<std::int8_t>(i >> 8);
    const auto weight = static_cast<std::int8_t>(i >> 16);
    top.operand_i = static_cast<std::uint16_t>(i);
    top.weight_i = static_cast<std::uint8_t>(i >> 16);
    bench.clock();
    pipe[0] = pipe[1];
    pipe[1] = {static_cast<std::uint32_t>(low * weight), static_cast<std::uint32_t>(high * weight)};
    if (i >= 1 && top.sum_o != (std::uint64_t{pipe[0].high} << 32 | pipe[0].low)) ++wrong;
  }
  EXPECT_EQ(wrong, 0U) << "of " << Triples << " triples";
}

/// Long sums in one direction, so that 2^16, 2^30 and 2^32 are crossed in every field, then back.
template <typename Top>
void run_long(unsigned steps) {
  Random random(2);
  Bench<Top> bench(random);
  std::array<std::int32_t, 2> sums{};
  std::array<std::array<std::int32_t, 2>, 2> pipe{};
  bench->step_i = 1;
  for (unsigned i = 0; i < steps; ++i) {
    // The low pixel climbs while the high one falls, and from the middle on the other way round.
    const bool climbs = i < steps / 2;
    const std::array<std::int8_t, 2> pixels = {static_cast<std::int8_t>(climbs ? -128 : 127),
                                               static_cast<std::int8_t>(climbs ? 127 : -128)};
    bench->first_i = i == 0;
    set_bytes(bench->operand_i,
              std::array<std::uint8_t, 2>{static_cast<std::uint8_t>(pixels[0]), static_cast<std::uint8_t>(pixels[1])});
    set(bench->weight_i, 0, 8, 0x80);
    if constexpr (sizeof(bench->weight_i) > 1) set(bench->weight_i, 8, 8, 0x80);
    bench.clock();
    pipe[0] = pipe[1];
    for (unsigned p = 0; p < 2; ++p) sums[p] = abi::accumulate(i == 0 ? 0 : sums[p], pixels[p] * -128);
    pipe[1] = sums;
    if (i == 0) continue;
    for (unsigned p = 0; p < 2; ++p) ASSERT_EQ(sum_of(bench, p), pipe[0][p]) << "pixel " << p << ", step " << i;
  }
}

TEST(Products, SumsWrapInEveryField) {
  run_long<Vesp_products_packed_p2_g2>(1U << 19);
  run_long<Vesp_products_single_p2_g1>(1U << 19);
}

template <typename Top>
void run_random() {
  for_each_pressure([&](double idle, double refuse) {
    Random random(3);
    Bench<Top> bench(random);
    using Sums = std::array<std::int32_t, 16>;
    Sums sums{};
    std::array<Sums, 2> pipe{};
    std::array<bool, 2> stepped{};
    bool started = false;
    for (int i = 0; i < 3000; ++i) {
      const bool step = !random.chance(idle);
      const bool first = !started || random.chance(0.02 + refuse / 4);
      const auto operands = random.chance(0.2) ? std::vector<std::uint8_t>(16, 0x80) : random_bytes(random, 16);
      const auto weights = random.chance(0.2) ? std::vector<std::uint8_t>(4, 0x80) : random_bytes(random, 4);
      bench->step_i = step;
      bench->first_i = first;
      set_bytes(bench->operand_i, operands);
      set_bytes(bench->weight_i, weights);
      bench.clock();
      started = started || step;
      for (std::size_t p = 0; step && p < 16; ++p) {
        const std::int32_t product = static_cast<std::int8_t>(operands[p]) * static_cast<std::int8_t>(weights[p / 4]);
        sums[p] = abi::accumulate(first ? 0 : sums[p], product);
      }
      pipe = {pipe[1], sums};
      stepped = {stepped[1], step};
      for (unsigned p = 0; stepped[0] && p < 16; ++p) ASSERT_EQ(sum_of(bench, p), pipe[0][p]) << "pixel " << p;
    }
  });
}

TEST(Products, BothFormsSumRowsWithRests) {
  run_random<Vesp_products_packed_p16_g4>();
  run_random<Vesp_products_plain_p16_g4>();
}

}  // namespace
}  // namespace espalier::test

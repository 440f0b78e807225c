// esp_beat_banks (combinational)
//   - every pending word wants its bank, (address + i) mod 16, in its row, and no other bank is wanted
//   - a granted word is a pending word whose bank was granted
#include "Vesp_beat_banks_p16_r12.h"
#include "Vesp_beat_banks_p4_r2.h"
#include "Vesp_beat_banks_p64_r5.h"
#include "Vesp_beat_banks_p8_r10.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

template <typename Top>
void run(unsigned pixels, unsigned row_bits) {
  const unsigned words = abi::BeatBytes / pixels;
  for_each_pressure([&](double idle, double refuse) {
    Random random(pixels);
    Bench<Top> bench(random);
    for (int n = 0; n < 500; ++n) {
      const auto address = static_cast<std::uint16_t>(random.between(0, 65535));
      unsigned pending = 0, grant = 0;
      for (unsigned i = 0; i < words; ++i) pending |= random.chance(idle) ? 0U : 1U << i;
      for (unsigned b = 0; b < abi::Banks; ++b) grant |= random.chance(refuse) ? 0U : 1U << b;
      put(bench->address_i, address);
      put(bench->pending_i, pending);
      put(bench->grant_i, grant);
      bench.settle();
      unsigned wanted = 0, granted = 0;
      for (unsigned i = 0; i < words; ++i) {
        if (((pending >> i) & 1U) == 0) continue;
        const auto word = static_cast<std::uint16_t>(address + i);
        const unsigned bank = word % abi::Banks;
        wanted |= 1U << bank;
        granted |= ((grant >> bank) & 1U) << i;
        EXPECT_EQ(get(bench->row_o, bank * row_bits, row_bits), word / abi::Banks % (1U << row_bits));
      }
      EXPECT_EQ(bench->want_o, wanted);
      EXPECT_EQ(bench->granted_o, granted);
      if (::testing::Test::HasFailure()) return;
    }
  });
}

TEST(BeatBanks, EveryWordHasItsBank) {
  run<Vesp_beat_banks_p4_r2>(4, 2);
  run<Vesp_beat_banks_p8_r10>(8, 10);
  run<Vesp_beat_banks_p16_r12>(16, 12);
  run<Vesp_beat_banks_p64_r5>(64, 5);
}

}  // namespace
}  // namespace espalier::test

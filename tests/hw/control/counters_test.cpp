// esp_counters
//   - every busy cycle is counted under exactly one cause, by priority: issue, weights, results, data, writing, control
//   - beats of all masters and entries are summed; nothing counts while idle; clear starts from 0
#include "Vesp_counters.h"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

TEST(Counters, GiveEveryBusyCycleOneCause) {
  for (const double density : {0.1, 0.5, 0.9}) {
    Random random;
    Bench<Vesp_counters> bench(random);
    std::array<std::uint32_t, 10> expected{};  // in the order of the registers
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    for (int i = 0; i < 3000; ++i) {
      const bool clear = random.chance(0.002), busy = random.chance(0.8);
      const bool issue = random.chance(density), starved = random.chance(density), active = random.chance(density);
      const bool waits = random.chance(density), writing = random.chance(density), write = random.chance(density);
      const auto reads = static_cast<unsigned>(random.between(0, 7));
      const auto entries = static_cast<unsigned>(random.between(0, 16));
      bench->clear_i = clear;
      bench->busy_i = busy;
      bench->issue_i = issue;
      bench->starved_i = starved;
      bench->active_i = active;
      bench->compute_waits_i = waits;
      bench->writing_i = writing;
      put(bench->read_beats_i, reads);
      bench->write_beat_i = write;
      put(bench->entries_i, entries);
      bench.clock();
      if (clear) {
        expected = {};
      } else if (busy) {
        ++expected[0];
        ++expected[issue ? 1U : starved ? 2U : active ? 3U : waits ? 4U : writing ? 5U : 6U];
        expected[7] += static_cast<std::uint32_t>(std::popcount(reads));
        expected[8] += write ? 1 : 0;
        expected[9] += entries;
      }
      for (unsigned n = 0; n < 10; ++n) EXPECT_EQ(get(bench->counters_o, 32 * n, 32), expected[n]) << n;
      EXPECT_EQ(bench->cycle_o, expected[0]);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace espalier::test

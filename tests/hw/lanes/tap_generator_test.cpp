// esp_tap_generator
//   - at every position of a command: offset and segment of each slot, where rows end and which is the chunk's last row
//   - counters inside each other, any steps modulo 2^16, segments innermost, a last row that is cut off
//   - nothing moves in cycles without a step; commands follow each other without a gap
#include "Vesp_tap_generator.h"
#include "hw/bench.hpp"
#include "hw/lanes/line_plan.hpp"

namespace espalier::test {
namespace {

abi::Command random_command(Random& random) {
  abi::Command c;
  c.opcode = abi::OpCompute;
  c.weights = abi::WeightsDense;
  c.split = static_cast<std::uint8_t>(1 << random.between(0, 3));
  c.flags = random.chance(0.5) ? abi::FlagBroadcast : 0;
  c.tap_count = {static_cast<std::uint16_t>(random.between(1, 4)), static_cast<std::uint16_t>(random.between(1, 4)),
                 static_cast<std::uint16_t>(random.between(1, 5))};
  for (auto& step : c.tap_step) step = static_cast<std::uint16_t>(random.between(0, 65535));
  // At the edges of their ranges now and then.
  if (random.chance(0.1)) c.tap_count[static_cast<std::size_t>(random.between(0, 1))] = 255;
  if (random.chance(0.1)) c.tap_count[2] = static_cast<std::uint16_t>(random.between(256, 400));
  const std::uint32_t row = (c.flags != 0 ? c.split : 1U) * c.tap_count[0] * c.tap_count[1] * c.tap_count[2];
  c.slots = row * static_cast<std::uint32_t>(random.between(1, 3));
  if (random.chance(0.4)) c.slots -= static_cast<std::uint32_t>(random.between(0, static_cast<int>(row) - 1));
  c.tail_lanes = 1;
  return c;
}

TEST(TapGenerator, WalksTheTapsOfEveryPosition) {
  for (const double idle : {0.0, 0.3, 0.9}) {
    Random random;
    Bench<Vesp_tap_generator> bench(random);
    bench->step_i = bench->restart_i = 0;
    for (int n = 0; n < 60; ++n) {
      const abi::Command c = random_command(random);
      // The command starts in the cycle of the last step of the one before, or later.
      if (random.chance(idle)) {
        bench->start_i = bench->step_i = 0;
        bench.clock();
      }
      set_bytes(bench->command_i, abi::encode(c));
      bench->start_i = 1;
      bench.clock();
      bench->start_i = 0;
      set_bytes(bench->command_i, random_bytes(random, abi::BeatBytes));
      const int positions = c.slots > 2000 ? 1 : random.between(1, 3);
      for (int position = 0; position < positions; ++position) {
        for (std::uint32_t i = 0; i < c.slots;) {
          const bool step = !random.chance(idle);
          bench->step_i = step;
          bench->restart_i = i + 1 == c.slots;
          bench.settle();
          const PlannedSlot expected = dense_slot(c, i, 8);
          EXPECT_EQ(bench->offset_o, expected.offset);
          EXPECT_EQ(bench->segment_o, expected.segment);
          EXPECT_EQ(bench->row_end_o, expected.last != 0);
          EXPECT_EQ(bench->last_row_o, expected.valid == 1);
          if (::testing::Test::HasFailure()) {
            FAIL() << "slot " << i << " of " << c.slots << ", taps " << c.tap_count[0] << " " << c.tap_count[1] << " "
                   << c.tap_count[2] << ", split " << int{c.split} << ", flags " << int{c.flags};
          }
          if (step && i + 1 == c.slots && position + 1 == positions) break;  // this step meets the next start
          bench.clock();
          if (step) ++i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace espalier::test

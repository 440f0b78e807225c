// esp_unit_queue
//   - commands leave in order; valid_o says that one is there, ready_o that all four counters reached its waits
//   - position_o is the position of the command popped last
//   - open_position_o is the oldest command that has not completed, in the queue or in the unit
//   - in the form for synthesis every unit gets the fields that its opcode defines
//   - full_o rises at CommandQueue commands
#include <deque>

#include "Vesp_unit_queue.h"
#include "Vesp_unit_queue_compute.h"
#include "Vesp_unit_queue_load.h"
#include "Vesp_unit_queue_mark.h"
#include "Vesp_unit_queue_store.h"
#include "Vesp_unit_queue_weight.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

TEST(UnitQueue, OffersCommandsOnceTheirWaitsAreMet) {
  for_each_pressure([&](double idle, double refuse) {
    Random random;
    Bench<Vesp_unit_queue> bench(random);
    std::deque<std::pair<abi::Command, std::uint32_t>> queue;
    std::array<std::uint32_t, 4> done{};
    std::deque<std::uint32_t> started;  // positions in the unit
    std::uint32_t position = 0, popped_position = 0, completed = 0;
    bench->push_i = bench->pop_i = 0;
    bench->done_i = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    for (int i = 0; i < 2000; ++i) {
      for (auto& count : done) count += random.chance(0.3) ? 1 : 0;
      bench->done_load_i = done[0];
      bench->done_weight_i = done[1];
      bench->done_compute_i = done[2];
      bench->done_store_i = done[3];
      abi::Command c;
      c.opcode = abi::OpLoad;
      const auto wait = [&](std::uint32_t now) { return now + static_cast<std::uint32_t>(random.between(0, 5)); };
      c.wait_load = wait(done[0]);
      c.wait_weight = wait(done[1]);
      c.wait_compute = wait(done[2]);
      c.wait_store = wait(done[3]);
      c.offset = static_cast<std::uint32_t>(random.between(0, INT32_MAX));
      const bool push = queue.size() < abi::CommandQueue && !random.chance(idle);
      bench->push_i = push;
      set_bytes(bench->command_i, abi::encode(c));
      bench->position_i = position;
      bench.settle();
      EXPECT_EQ(bench->full_o, queue.size() == abi::CommandQueue);
      EXPECT_EQ(bench->valid_o, !queue.empty());
      EXPECT_EQ(bench->position_o, popped_position);
      bool ready = false;
      if (!queue.empty()) {
        const abi::Command& head = queue.front().first;
        const abi::Beat beat = abi::encode(head);
        EXPECT_EQ(get_bytes(bench->command_o, 64), std::vector<std::uint8_t>(beat.begin(), beat.end()));
        ready = done[0] >= head.wait_load && done[1] >= head.wait_weight && done[2] >= head.wait_compute &&
                done[3] >= head.wait_store;
      }
      EXPECT_EQ(bench->ready_o, ready);
      EXPECT_EQ(bench->open_o, !queue.empty() || !started.empty());
      if (bench->open_o) {
        EXPECT_EQ(bench->open_position_o, started.empty() ? queue.front().second : started.front());
      }
      const bool pop = ready && started.size() < 12 && !random.chance(refuse);
      bench->pop_i = pop;
      bench.clock();
      // Completions are counted in the cycle after done_i tells them.
      if (bench->done_i != completed) ++completed, started.pop_front();
      if (!started.empty() && random.chance(0.4)) bench->done_i = completed + 1;
      if (pop) {
        started.push_back(queue.front().second);
        popped_position = queue.front().second;
        queue.pop_front();
      }
      if (push) queue.emplace_back(c, position++);
      if (::testing::Test::HasFailure()) return;
    }
  });
}


struct Field {
  unsigned lsb, bits;
};

/// A queue keeps the waits of random commands and these fields.
template <typename Top>
void expect_fields(std::vector<Field> fields) {
  for (const unsigned lsb : {abi::CmdWaitLoadLsb, abi::CmdWaitWeightLsb, abi::CmdWaitComputeLsb, abi::CmdWaitStoreLsb}) {
    fields.push_back({lsb, abi::CmdWaitBits});
  }
  Random random;
  Bench<Top> bench(random);
  bench->push_i = bench->pop_i = 0;
  bench->done_i = bench->done_load_i = bench->done_weight_i = bench->done_compute_i = bench->done_store_i = 0;
  bench->rst_ni = 0;
  bench.clock();
  bench->rst_ni = 1;
  for (int n = 0; n < 50; ++n) {
    const std::vector<std::uint8_t> command = random_bytes(random, abi::BeatBytes);
    set_bytes(bench->command_i, command);
    bench->position_i = static_cast<unsigned>(n);
    bench->push_i = 1;
    bench.clock();
    bench->push_i = 0;
    bench.settle();
    const std::vector<std::uint8_t> head = get_bytes(bench->command_o, abi::BeatBytes);
    for (const Field& field : fields) {
      EXPECT_EQ(abi::get_bits(head, field.lsb, field.bits), abi::get_bits(command, field.lsb, field.bits)) << field.lsb;
    }
    EXPECT_EQ(bench->head_position_o, static_cast<unsigned>(n));
    bench->pop_i = 1;
    bench.clock();
    bench->pop_i = 0;
    bench->done_i = static_cast<unsigned>(n) + 1;
  }
}

TEST(UnitQueue, KeepsTheFieldsOfItsUnit) {
  const Field window{abi::CmdWindowLsb, 2}, address{abi::CmdAddressLsb, abi::CmdAddressBits},
      offset{abi::CmdOffsetLsb, abi::CmdOffsetBits}, run{abi::CmdRunLsb, abi::CmdRunBits},
      pitch{abi::CmdPitchLsb, abi::CmdPitchBits}, planes{abi::CmdPlanesLsb, abi::CmdPlanesBits},
      word_pitch{abi::CmdWordPitchLsb, abi::CmdWordPitchBits}, flags{abi::CmdFlagsLsb, abi::CmdFlagsBits};
  expect_fields<Vesp_unit_queue_load>({window, address, offset, run, pitch, planes, word_pitch, flags});
  expect_fields<Vesp_unit_queue_weight>({window, address, offset, run, {abi::CmdFormatLsb, abi::CmdFormatBits},
                                         {abi::CmdItemsLsb, abi::CmdItemsBits}, {abi::CmdGapBitsLsb, abi::CmdGapBitsBits},
                                         {abi::CmdValueBitsLsb, abi::CmdValueBitsBits},
                                         {abi::CmdColumnsLsb, abi::CmdColumnsBits}});
  expect_fields<Vesp_unit_queue_store>({window, address, offset, run, pitch, planes, word_pitch});
  expect_fields<Vesp_unit_queue_mark>({{abi::CmdLayerLsb, abi::CmdLayerBits}});
  std::vector<Field> compute{flags, {abi::CmdTailLanesLsb, 8}, {abi::CmdWeightsLsb, 8}, {abi::CmdSplitLsb, 8}};
  for (unsigned lsb = abi::CmdScaleLsb; lsb < 512; lsb += 32) compute.push_back({lsb, 32});
  expect_fields<Vesp_unit_queue_compute>(compute);
}

}  // namespace
}  // namespace espalier::test

// esp_sequencer
//   - issues the chunk's slots in order at every position, x innermost, with the position's base and program entry
//   - a slot is issued only when it was written and all lanes whose row ends with it are ready; none while halted
//   - a chunk read once may be longer than the store; space is given back when a slot is read for the last time
//   - a command is done when all its slots are issued and as many results pushed as rows ended; contexts alternate
#include <deque>

#include "Vesp_sequencer_k16_d8192.h"
#include "Vesp_sequencer_k1_d4.h"
#include "Vesp_sequencer_k3_d16.h"
#include "Vesp_sequencer_k8_d64.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Issue {
  std::size_t slot;
  std::uint16_t base, program;
  bool maximum, context, end;
};

struct Plan {
  std::vector<abi::Command> commands;
  std::vector<std::vector<abi::Entry>> slots;
  std::vector<Issue> issues;
  std::vector<std::size_t> issues_until;  // per command
};

Plan make_plan(Random& random, unsigned lanes, unsigned depth, int commands) {
  Plan plan;
  for (int n = 0; n < commands; ++n) {
    abi::Command c;
    c.opcode = abi::OpCompute;
    c.count_x = static_cast<std::uint16_t>(random.between(1, 4));
    c.count_y = static_cast<std::uint16_t>(random.between(1, 3));
    if (random.chance(0.3)) c.count_x = c.count_y = 1;
    const bool single = c.count_x * c.count_y == 1;
    const unsigned limit = std::min(single ? 3 * depth : depth, 40U);
    c.slots = static_cast<std::uint32_t>(random.between(1, static_cast<int>(limit)));
    c.step_x = static_cast<std::uint16_t>(random.between(0, 65535));
    c.step_y = static_cast<std::uint16_t>(random.between(0, 65535));
    c.address = static_cast<std::uint16_t>(random.between(0, 65535));
    c.program = static_cast<std::uint16_t>(random.between(0, 2047));
    c.unroll = static_cast<std::uint8_t>(random.between(1, 16));
    c.operation = static_cast<std::uint8_t>(random.between(0, abi::Operations - 1));
    const std::size_t first = plan.slots.size();
    for (unsigned s = 0; s < c.slots; ++s) {
      std::vector<abi::Entry> slot(lanes);
      for (auto& entry : slot)
        entry = {random.byte(), static_cast<std::uint16_t>(s), random.chance(0.6), random.chance(0.2)};
      plan.slots.push_back(slot);
    }
    for (unsigned y = 0; y < c.count_y; ++y) {
      for (unsigned x = 0; x < c.count_x; ++x) {
        for (std::size_t s = 0; s < c.slots; ++s) {
          plan.issues.push_back({first + s, static_cast<std::uint16_t>(c.address + x * c.step_x + y * c.step_y),
                                 static_cast<std::uint16_t>(c.program + (y * c.count_x + x) * c.unroll),
                                 c.operation == abi::OperationMax || c.operation == abi::OperationMaxReduce, n % 2 == 1,
                                 s + 1 == c.slots});
        }
      }
    }
    plan.commands.push_back(c);
    plan.issues_until.push_back(plan.issues.size());
  }
  return plan;
}

/// Lanes with finished rows, and the two writers that take them.
struct Results {
  std::vector<std::deque<bool>> lanes;  // contexts of rows
  std::array<unsigned, 2> outstanding{};

  explicit Results(unsigned count) : lanes(count) {}

  std::uint64_t ready() const {
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < lanes.size(); ++k) bits |= std::uint64_t{lanes[k].size() < abi::ResultDepth} << k;
    return bits;
  }

  /// Whether writer w pushes a result in this cycle, and of which context.
  std::optional<bool> push(unsigned w, Random& random, double refuse) {
    if (random.chance(refuse)) return {};
    for (std::size_t k = w; k < lanes.size(); k += 2) {
      if (lanes[k].empty()) continue;
      const bool context = lanes[k].front();
      lanes[k].pop_front();
      --outstanding[context];
      return context;
    }
    return {};
  }
};

template <typename Top>
void run(unsigned lanes, unsigned depth) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(lanes);
    const Plan plan = make_plan(random, lanes, depth, 12);
    Bench<Top> bench(random);
    Results results(lanes);
    std::size_t written = 0, issued = 0, popped = 0;
    bench->halt_i = bench->command_valid_i = bench->waits_met_i = bench->slot_write_i = 0;
    bench->pushed_i = bench->pushed_context_i = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    for (int i = 0; i < 60000 && bench->done_o != plan.commands.size(); ++i) {
      const bool halt = random.chance(0.02);
      bench->halt_i = halt;
      const bool queued = popped < plan.commands.size();
      bench->command_valid_i = queued;
      bench->waits_met_i = queued && !random.chance(idle);
      if (queued) set_bytes(bench->command_i, abi::encode(plan.commands[popped]));
      put(bench->lane_ready_i, results.ready());
      std::uint64_t pushed = 0, contexts = 0;
      for (unsigned w = 0; w < 2; ++w) {
        if (const auto context = results.push(w, random, refuse)) {
          pushed |= 1U << w;
          contexts |= std::uint64_t{*context} << w;
        }
      }
      put(bench->pushed_i, pushed);
      put(bench->pushed_context_i, contexts);
      const bool writes = bench->slot_space_o && written < plan.slots.size() && !random.chance(idle);
      bench->slot_write_i = writes;
      for (unsigned k = 0; writes && k < lanes; ++k) {
        set(bench->slot_data_i, 32 * k, 32, abi::encode(plan.slots[written][k]));
      }
      bench.settle();
      if (bench->issue_o) {
        EXPECT_FALSE(halt);
        ASSERT_LT(issued, plan.issues.size());
        const Issue& expected = plan.issues[issued++];
        EXPECT_LT(expected.slot, written) << "issued before it was written";
        EXPECT_EQ(bench->base_o, expected.base);
        EXPECT_EQ(bench->program_o, expected.program);
        EXPECT_EQ(bench->maximum_o, expected.maximum);
        EXPECT_EQ(bench->context_o, expected.context);
        EXPECT_EQ(bench->position_end_o, expected.end);
        unsigned valid = 0;
        for (unsigned k = 0; k < lanes; ++k) {
          const abi::Entry& entry = plan.slots[expected.slot][k];
          EXPECT_EQ(get(bench->slot_o, 32 * k, 32), abi::encode(entry));
          valid += entry.valid ? 1 : 0;
          if (!entry.last) continue;
          EXPECT_LT(results.lanes[k].size(), abi::ResultDepth) << "no room in lane " << k;
          results.lanes[k].push_back(expected.context);
          ++results.outstanding[expected.context];
        }
        EXPECT_EQ(bench->entries_o, valid);
      }
      if (bench->command_pop_o) ++popped;
      bench.clock();
      if (writes) ++written;
      const std::size_t done = bench->done_o;
      EXPECT_LE(done, popped);
      if (done > 0) {
        EXPECT_GE(issued, plan.issues_until[done - 1]) << "done before all slots were issued";
      }
      EXPECT_EQ(bench->results_pending_o, results.outstanding[0] + results.outstanding[1] != 0);
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(bench->done_o, plan.commands.size());
    EXPECT_EQ(issued, plan.issues.size());
    EXPECT_EQ(results.outstanding[0] + results.outstanding[1], 0U);
  });
}

TEST(Sequencer, IssuesEveryCommandInOrder) {
  run<Vesp_sequencer_k1_d4>(1, 4);
  run<Vesp_sequencer_k3_d16>(3, 16);
  run<Vesp_sequencer_k8_d64>(8, 64);
  run<Vesp_sequencer_k16_d8192>(16, 8192);
}

}  // namespace
}  // namespace espalier::test

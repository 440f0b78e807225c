// esp_sequencer
//   - issues the chunk's slots in order at every position, x innermost, with the position's base and program entry
//   - the slots of a line follow each other from the store's output; lines of every weights mode, all splits
//   - a slot is issued only when its line was written and all lanes whose row ends with it are ready; none while halted
//   - a chunk read once may be longer than the store; a line is given back when its last slot is issued for the
//     last time
//   - a command is done when all its slots are issued and as many results pushed as rows ended; contexts alternate
#include <algorithm>
#include <bit>
#include <deque>

#include "Vesp_sequencer_k16_d16.h"
#include "Vesp_sequencer_k32_d8192.h"
#include "Vesp_sequencer_k8_d4.h"
#include "Vesp_sequencer_k8_d64.h"
#include "hw/bench.hpp"
#include "hw/lanes/line_plan.hpp"

namespace espalier::test {
namespace {

struct Issue {
  PlannedSlot slot;  // line counted from the start of the run
  std::size_t command;
  std::uint16_t base, program;
  bool end;
};

struct Plan {
  std::vector<abi::Command> commands;
  std::vector<LineWords> lines;
  std::vector<Issue> issues;
  std::vector<std::size_t> issues_until;  // per command
};

/// A chunk that the store holds, or, for a single position, any.
RandomChunk random_chunk(const abi::Configuration& array, Random& random, bool single) {
  const unsigned limit = std::min(single ? 3 * array.line_depth : array.line_depth, 24U);
  while (true) {
    RandomChunk chunk = RandomStream(array, random)
                            .chunk(static_cast<unsigned>(random.between(0, abi::FormatBlock)),
                                   static_cast<std::uint32_t>(random.between(1, static_cast<int>(limit))));
    if (chunk.lines <= (single ? 64 : array.line_depth)) return chunk;
  }
}

Plan make_plan(Random& random, const abi::Configuration& array, int commands) {
  Plan plan;
  for (int n = 0; n < commands; ++n) {
    const bool single = random.chance(0.3);
    RandomChunk chunk = random_chunk(array, random, single);
    abi::Command& c = chunk.compute;
    c.count_x = static_cast<std::uint16_t>(single ? 1 : random.between(1, 4));
    c.count_y = static_cast<std::uint16_t>(single ? 1 : random.between(1, 3));
    c.step_x = static_cast<std::uint16_t>(random.between(0, 65535));
    c.step_y = static_cast<std::uint16_t>(random.between(0, 65535));
    c.address = static_cast<std::uint16_t>(random.between(0, 65535));
    c.program = static_cast<std::uint16_t>(random.between(0, 2047));
    c.unroll = static_cast<std::uint8_t>(random.between(1, 16));
    c.operation = static_cast<std::uint8_t>(random.between(0, abi::Operations - 1));
    const std::vector<PlannedSlot> slots = slots_of(chunk, array);
    for (unsigned y = 0; y < c.count_y; ++y) {
      for (unsigned x = 0; x < c.count_x; ++x) {
        for (std::size_t s = 0; s < slots.size(); ++s) {
          plan.issues.push_back(
              {slots[s], plan.commands.size(), static_cast<std::uint16_t>(c.address + x * c.step_x + y * c.step_y),
               static_cast<std::uint16_t>(c.program + (y * c.count_x + x) * c.unroll), s + 1 == slots.size()});
          plan.issues.back().slot.line += plan.lines.size();
        }
      }
    }
    for (LineWords& line : lines_of(chunk.format, chunk.items, chunk.bytes.data(), array)) plan.lines.push_back(line);
    plan.commands.push_back(c);
    plan.issues_until.push_back(plan.issues.size());
  }
  return plan;
}

/// Lanes with finished rows, and the writers that take them.
struct Results {
  std::vector<std::deque<bool>> lanes;  // contexts of rows
  std::array<unsigned, 2> outstanding{};

  unsigned writers;

  Results(unsigned lane_count, unsigned writer_count) : lanes(lane_count), writers(writer_count) {}

  std::uint64_t ready() const {
    std::uint64_t bits = 0;
    for (std::size_t k = 0; k < lanes.size(); ++k) bits |= std::uint64_t{lanes[k].size() < abi::ResultDepth} << k;
    return bits;
  }

  /// Whether writer w pushes a result in this cycle, and of which context.
  std::optional<bool> push(unsigned w, Random& random, double refuse) {
    if (random.chance(refuse)) return {};
    for (std::size_t k = w; k < lanes.size(); k += writers) {
      if (lanes[k].empty()) continue;
      const bool context = lanes[k].front();
      lanes[k].pop_front();
      --outstanding[context];
      return context;
    }
    return {};
  }
};

/// Lines given back once `issued` slots are out: at the last position of a command, those whose last slot was issued.
std::size_t lines_freed(const Plan& plan, std::size_t issued, std::size_t freed) {
  const Issue& issue = plan.issues[issued - 1];
  const abi::Command& c = plan.commands[issue.command];
  const bool last_position = plan.issues_until[issue.command] - issued < c.slots;
  const bool line_ends = issue.end || plan.issues[issued].slot.line != issue.slot.line;
  return last_position && line_ends ? issue.slot.line + 1 : freed;
}

template <typename Top>
void expect_issue(Bench<Top>& bench, const Issue& expected, const Plan& plan) {
  const abi::Command& c = plan.commands[expected.command];
  const PlannedSlot& slot = expected.slot;
  EXPECT_EQ(bench->base_o, expected.base);
  EXPECT_EQ(bench->program_o, expected.program);
  EXPECT_EQ(bench->maximum_o, c.operation == abi::OperationMax || c.operation == abi::OperationMaxReduce);
  EXPECT_EQ(bench->weights_o, c.weights);
  EXPECT_EQ(bench->split_o, std::countr_zero(c.split));
  EXPECT_EQ(bench->broadcast_o, (c.flags & abi::FlagBroadcast) != 0);
  EXPECT_EQ(bench->context_o, expected.command % 2);
  EXPECT_EQ(bench->position_end_o, expected.end);
  EXPECT_EQ(bench->slot_o, slot.slot);
  EXPECT_EQ(bench->valid_o, slot.valid);
  EXPECT_EQ(bench->last_o, slot.last);
  EXPECT_EQ(bench->entries_o, std::popcount(slot.valid));
  if (c.weights == abi::WeightsDense) {
    EXPECT_EQ(bench->offset_o, slot.offset);
    EXPECT_EQ(bench->segment_o, slot.segment);
  }
  const LineWords& line = plan.lines[slot.line];
  EXPECT_TRUE(std::equal(line.begin(), line.end(), &bench->line_o[0])) << "line " << slot.line;
}

template <typename Top>
void run(unsigned lanes, unsigned depth, unsigned writers) {
  const abi::Configuration array{lanes, 32, 1024, depth, writers};
  for_each_pressure([&](double idle, double refuse) {
    Random random(lanes);
    const Plan plan = make_plan(random, array, 16);
    Bench<Top> bench(random);
    Results results(lanes, writers);
    std::size_t written = 0, freed = 0, issued = 0, popped = 0;
    bench->halt_i = bench->command_valid_i = bench->waits_met_i = bench->line_part_i = bench->line_end_i = 0;
    bench->pushed_i = bench->pushed_context_i = 0;
    bench->vector_ready_i = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    for (int i = 0; i < 100000 && bench->done_o != plan.commands.size(); ++i) {
      const bool halt = random.chance(0.02);
      bench->halt_i = halt;
      const bool queued = popped < plan.commands.size();
      bench->command_valid_i = queued;
      bench->waits_met_i = queued && !random.chance(idle);
      if (queued) set_bytes(bench->command_i, abi::encode(plan.commands[popped]));
      put(bench->lane_ready_i, results.ready());
      std::uint64_t pushed = 0, contexts = 0;
      for (unsigned w = 0; w < writers; ++w) {
        if (const auto context = results.push(w, random, refuse)) {
          pushed |= 1U << w;
          contexts |= std::uint64_t{*context} << w;
        }
      }
      put(bench->pushed_i, pushed);
      put(bench->pushed_context_i, contexts);
      EXPECT_EQ(bench->line_space_o, written - freed < depth);
      const bool writes = bench->line_space_o && written < plan.lines.size() && !random.chance(idle);
      put(bench->line_part_i, writes ? (1U << 4 * ((lanes + 15) / 16)) - 1 : 0);
      bench->line_end_i = writes;
      if (writes) std::copy(plan.lines[written].begin(), plan.lines[written].end(), &bench->line_data_i[0]);
      bench.settle();
      EXPECT_EQ(bench->vector_pop_o, 0);
      if (bench->issue_o) {
        EXPECT_FALSE(halt);
        ASSERT_LT(issued, plan.issues.size());
        const Issue& expected = plan.issues[issued++];
        EXPECT_LT(expected.slot.line, written) << "issued before it was written";
        expect_issue(bench, expected, plan);
        for (unsigned k = 0; k < lanes; ++k) {
          if (((expected.slot.last >> k) & 1U) == 0) continue;
          EXPECT_LT(results.lanes[k].size(), abi::ResultDepth) << "no room in lane " << k;
          results.lanes[k].push_back(expected.command % 2 == 1);
          ++results.outstanding[expected.command % 2];
        }
        freed = lines_freed(plan, issued, freed);
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
  run<Vesp_sequencer_k8_d4>(8, 4, 2);
  run<Vesp_sequencer_k8_d64>(8, 64, 2);
  run<Vesp_sequencer_k16_d16>(16, 16, 4);
  run<Vesp_sequencer_k32_d8192>(32, 8192, 4);
}

}  // namespace
}  // namespace espalier::test

// esp_control
//   - commands go to the queue of their unit in list order; the run ends when all are done and nothing is in flight
//   - wrong arguments end the run before anything is requested, with the register as detail
//   - a bad command, a window fault, a bad response and a time-out halt the units, wait for AXI to fall quiet and end
//     the run with code, position and detail; within a cycle commands go before windows before responses
//   - marks are stamped with the cycle; after any end the next run starts clean
#include <deque>

#include "Vesp_control_k8_d64.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

enum Unit { Load, Weight, Compute, Store };

struct Result {
  std::uint32_t code = 0, position = 0, detail = 0;
  bool operator==(const Result&) const = default;
};

/// The controller with four units that complete what they take.
class ControlBench {
 public:
  explicit ControlBench(Random& random, double idle = 0, double refuse = 0)
      : random_(random), idle_(idle), refuse_(refuse), bench(random) {
    bench->start_i = bench->progress_i = bench->fetch_ready_i = bench->fetch_valid_i = 0;
    bench->pop_i = 0;
    bench->results_pending_i = 0;
    bench->queues_empty_i = bench->quiet_i = 1;
    bench->window_error_i = bench->response_error_i = 0;
    bench->cycle_i = 0;
    bench->timeout_i = 0;
    for (auto& word : bench->unit_done_i.m_storage) word = 0;
    for (auto& word : bench->arguments_i.m_storage) word = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
  }

  void start(std::vector<abi::Command> list) {
    commands = std::move(list);
    set(bench->arguments_i, 17 * 32, 32, commands.size());
    begin();
  }

  void begin() {
    fetched_ = 0;
    requested_ = false;
    done_.fill(0);
    taken.clear();
    bench->start_i = 1;
    cycle();
    bench->start_i = 0;
  }

  void cycle() {
    bench->fetch_ready_i = 1;
    const bool valid = requested_ && fetched_ < commands.size() && !random_.chance(idle_);
    bench->fetch_valid_i = valid;
    if (valid) set_bytes(bench->fetch_command_i, abi::encode(commands[fetched_]));
    for (unsigned u = 0; u < 4; ++u) set(bench->unit_done_i, 32 * u, 32, done_[u]);
    bench.settle();
    std::uint64_t pops = 0;
    for (unsigned u = 0; u < 4; ++u) {
      if (get(bench->ready_o, u, 1) == 0 || bench->halt_o || random_.chance(refuse_) || stuck == static_cast<int>(u))
        continue;
      pops |= 1U << u;
      taken.push_back(static_cast<std::uint32_t>(get(bench->command_o, u * 512 + abi::CmdLayerLsb, 16)));
    }
    put(bench->pop_i, pops);
    bench.settle();
    const bool pop = bench->fetch_pop_o != 0;
    const bool requests = bench->fetch_request_o != 0;
    if (bench->mark_o) marks.emplace_back(bench->mark_index_o, bench->mark_cycle_o);
    const bool ending = bench->done_o != 0;
    const std::uint32_t now = bench->cycle_i;
    bench.clock();
    bench->cycle_i = now + 1;
    if (pop) ++fetched_;
    if (requests) requested_ = true;
    for (unsigned u = 0; u < 4; ++u) done_[u] += (pops >> u) & 1U;
    if (!bench->run_no) done_.fill(0);
    if (ending) ++ends;
  }

  /// Clocks until the run ends.
  Result finish(int limit = 5000) {
    const int before = ends;
    for (int i = 0; i < limit && ends == before; ++i) cycle();
    EXPECT_EQ(ends, before + 1) << "the run does not end";
    EXPECT_EQ(bench->idle_o, 1);
    return {static_cast<std::uint32_t>(get(bench->result_o, 0, 32)),
            static_cast<std::uint32_t>(get(bench->result_o, 32, 32)),
            static_cast<std::uint32_t>(get(bench->result_o, 64, 32))};
  }

 private:
  Random& random_;
  double idle_, refuse_;
  std::size_t fetched_ = 0;
  bool requested_ = false;
  std::array<std::uint32_t, 4> done_{};

 public:
  Bench<Vesp_control_k8_d64> bench;
  std::vector<abi::Command> commands;
  std::vector<std::uint32_t> taken;  // layers of the commands that units took
  std::vector<std::pair<std::uint32_t, std::uint32_t>> marks;
  int ends = 0;
  int stuck = -1;  // a unit that takes nothing
};

/// Commands numbered by their layer field.
std::vector<abi::Command> random_list(Random& random, unsigned count) {
  std::vector<abi::Command> list;
  for (unsigned n = 0; n < count; ++n) {
    abi::Command c;
    c.opcode = static_cast<std::uint8_t>(random.between(abi::OpLoad, abi::OpMark));
    c.layer = static_cast<std::uint16_t>(n);
    c.window = abi::WindowOutput;
    c.planes = c.count_x = c.count_y = 1;
    c.run = c.items = c.slots = 1;
    list.push_back(c);
  }
  return list;
}

TEST(Control, RunsListsToTheirEnd) {
  for_each_pressure([](double idle, double refuse) {
    Random random;
    ControlBench control(random, idle, refuse);
    for (int run = 0; run < 3; ++run) {
      const auto list = random_list(random, static_cast<unsigned>(random.between(1, 60)));
      control.marks.clear();
      control.start(list);
      EXPECT_EQ(control.finish(), Result{});
      std::size_t marks = 0;
      for (const auto& c : list) marks += c.opcode == abi::OpMark ? 1 : 0;
      EXPECT_EQ(control.marks.size(), marks);
      EXPECT_EQ(control.taken.size(), list.size() - marks);
      // Each unit sees its commands in list order.
      for (unsigned opcode = abi::OpLoad; opcode <= abi::OpStore; ++opcode) {
        std::uint32_t last = 0;
        for (const std::uint32_t n : control.taken) {
          if (list[n].opcode != opcode) continue;
          EXPECT_GE(n, last);
          last = n;
        }
      }
    }
  });
}

TEST(Control, WaitsForResultsAndQueues) {
  Random random;
  ControlBench control(random);
  control.bench->results_pending_i = 1;
  control.start(random_list(random, 5));
  for (int i = 0; i < 200; ++i) control.cycle();
  EXPECT_EQ(control.ends, 0);
  control.bench->results_pending_i = 0;
  control.bench->queues_empty_i = 0;
  for (int i = 0; i < 50; ++i) control.cycle();
  EXPECT_EQ(control.ends, 0);
  control.bench->queues_empty_i = 1;
  EXPECT_EQ(control.finish(), Result{});
}

TEST(Control, RefusesWrongArguments) {
  Random random;
  ControlBench control(random);
  for (unsigned w = 0; w < 4; ++w) {
    for (const auto& [word, value] : {std::pair{0U, 2048U}, std::pair{0U, 1U}, std::pair{2U, 32U}, std::pair{2U, 1U}}) {
      set(control.bench->arguments_i, (4 * w + word) * 32, 32, value);
      control.start(random_list(random, 3));
      EXPECT_EQ(control.finish(5), (Result{abi::ErrorArgument, 0, abi::RegProgramAddress + 16 * w + 4 * word}));
      set(control.bench->arguments_i, (4 * w + word) * 32, 32, 0);
    }
  }
  control.start({});
  EXPECT_EQ(control.finish(5), (Result{abi::ErrorArgument, 0, abi::RegCommandCount}));
  EXPECT_TRUE(control.taken.empty());
}

TEST(Control, HaltsOnABadCommandAndWaitsUntilAxiIsQuiet) {
  Random random;
  ControlBench control(random, 0.3, 0.3);
  for (int i = 0; i < 10; ++i) {
    auto list = random_list(random, 30);
    const auto at = static_cast<std::uint32_t>(random.between(0, 29));
    list[at].opcode = 77;
    control.start(list);
    for (int n = 0; n < 3000 && !control.bench->halt_o; ++n) control.cycle();
    EXPECT_EQ(control.bench->halt_o, 1);
    control.bench->quiet_i = 0;
    const int ends = control.ends;
    for (int n = 0; n < 30; ++n) control.cycle();
    EXPECT_EQ(control.ends, ends) << "ended while AXI was busy";
    control.bench->quiet_i = 1;
    EXPECT_EQ(control.finish(10), (Result{abi::ErrorOpcode, at, 77}));
  }
}

TEST(Control, NamesTheCommandOfTheUnitAtFault) {
  Random random;
  // Fault sources: fetch, load, weight, store.
  const std::array<unsigned, 4> opcodes{0, abi::OpLoad, abi::OpWeight, abi::OpStore};
  for (unsigned source = 1; source < 4; ++source) {
    for (const bool window : {true, false}) {
      ControlBench control(random);
      control.bench->results_pending_i = 1;
      auto list = random_list(random, 20);
      std::uint32_t last = 0;
      list[5].opcode = static_cast<std::uint8_t>(opcodes[source]);
      for (std::uint32_t n = 0; n < 20; ++n) {
        if (list[n].opcode == opcodes[source]) last = n;
      }
      control.start(list);
      for (int n = 0; n < 200; ++n) control.cycle();
      set(control.bench->window_offset_i, 32 * source, 32, 4242);
      set(control.bench->response_i, 2 * source, 2, 3);
      // A window is left by the command that the unit took last; responses come with the position of theirs.
      set(control.bench->response_position_i, 32 * source, 32, 7);
      put(window ? control.bench->window_error_i : control.bench->response_error_i, 1U << source);
      control.cycle();
      control.bench->window_error_i = control.bench->response_error_i = 0;
      const std::uint32_t code = window        ? abi::ErrorWindow
                                 : source == 3 ? abi::ErrorWriteResponse
                                               : abi::ErrorReadResponse;
      EXPECT_EQ(control.finish(10), (Result{code, window ? last : 7U, window ? 4242U : 3U}));
    }
  }
}

TEST(Control, TimesOutWithoutProgress) {
  Random random;
  for (int unit = Load; unit <= Store; ++unit) {
    ControlBench control(random);
    control.bench->timeout_i = 100;
    control.stuck = unit;
    auto list = random_list(random, 4);
    list[3].opcode = static_cast<std::uint8_t>(abi::OpLoad + static_cast<unsigned>(unit));
    control.start(list);
    for (int n = 0; n < 500; ++n) {
      control.bench->progress_i = n % 90 == 0;
      control.cycle();
    }
    EXPECT_EQ(control.ends, 0) << "progress restarts the watchdog";
    control.bench->progress_i = 0;
    const Result result = control.finish(200);
    std::uint32_t oldest = 0;
    while (list[oldest].opcode != list[3].opcode) ++oldest;
    EXPECT_EQ(result, (Result{abi::ErrorTimeout, oldest, 100}));
    // The next run works.
    control.stuck = -1;
    control.bench->timeout_i = 0;
    control.start(random_list(random, 10));
    EXPECT_EQ(control.finish(), Result{});
  }
}

TEST(Control, TimesOutWhenTheMemoryNeverFallsQuiet) {
  Random random;
  ControlBench control(random);
  control.bench->quiet_i = 0;
  control.bench->timeout_i = 50;
  control.start(random_list(random, 4));
  EXPECT_EQ(control.finish(100), (Result{abi::ErrorTimeout, 0, 50}));
  EXPECT_TRUE(control.taken.empty());
}

}  // namespace
}  // namespace espalier::test

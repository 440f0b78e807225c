// Properties:
//   - a full queue, a draining server and a deadline that bounds cannot meet are refused, each with its own verdict
//   - no accepted task is late, whatever arrives behind it, when tasks take their bounds
//   - earliest deadline first; without deadlines in the order of arrival
#include "plan/policy/admission.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace espalier::plan {
namespace {

TEST(Admission, RefusesWithAReason) {
  AdmissionState state;
  const AdmissionLimits limits{.capacity = 2, .workers = 1};
  EXPECT_EQ(admit(limits, state, {.task = 1, .bound = 10}, 0), Verdict::Accept);
  EXPECT_EQ(admit(limits, state, {.task = 2, .bound = 10, .deadline = 19}, 0), Verdict::Accept);
  EXPECT_EQ(admit(limits, state, {.task = 3, .bound = 10, .deadline = 100}, 0), Verdict::Full);
  EXPECT_EQ(*take_next(state, 0).start, 2U);  // its deadline is the earlier one
  EXPECT_EQ(admit(limits, state, {.task = 4, .bound = 10, .deadline = 19}, 5), Verdict::Late);
  state.draining = true;
  EXPECT_EQ(admit(limits, state, {.task = 5, .bound = 10}, 5), Verdict::Draining);
  EXPECT_EQ(*take_next(state, 10).start, 1U);
  EXPECT_FALSE(take_next(state, 10).start.has_value());
}

TEST(Admission, DropsWhatHasBecomeLate) {
  AdmissionState state;
  EXPECT_EQ(admit({}, state, {.task = 1, .bound = 10, .deadline = 20}, 0), Verdict::Accept);
  EXPECT_EQ(admit({}, state, {.task = 2, .bound = 10}, 0), Verdict::Accept);
  const NextTask next = take_next(state, 11);  // a worker that comes later than its bound promised
  EXPECT_EQ(next.late, std::vector<std::uint64_t>{1});
  EXPECT_EQ(*next.start, 2U);
}

struct Arrival {
  Nanoseconds at = 0, bound = 0, deadline = 0;
};

std::vector<Arrival> random_arrivals(unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<Arrival> arrivals;
  Nanoseconds now = 0;
  for (int i = 0; i < 300; ++i) {
    now += static_cast<Nanoseconds>(engine() % 8);
    const auto bound = static_cast<Nanoseconds>(1 + engine() % 9);
    arrivals.push_back(
        {now, bound, engine() % 4 == 0 ? Impossible : now + bound + static_cast<Nanoseconds>(engine() % 30)});
  }
  return arrivals;
}

Nanoseconds first_end(const AdmissionState& state) {
  Nanoseconds first = Impossible;
  for (const RunningTask& running : state.running) first = std::min(first, running.until);
  return first;
}

TEST(Admission, NoAcceptedTaskIsLate) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const AdmissionLimits limits{.capacity = 8, .workers = 1 + seed % 3};
    const std::vector<Arrival> arrivals = random_arrivals(seed);
    AdmissionState state;
    std::size_t next = 0, accepted = 0, started = 0;
    while (next < arrivals.size() || !state.running.empty()) {
      const Nanoseconds arrival = next < arrivals.size() ? arrivals[next].at : Impossible;
      const Nanoseconds now = std::min(arrival, first_end(state));
      std::erase_if(state.running, [&](const RunningTask& running) { return running.until <= now; });
      if (arrival == now) {
        const WaitingTask task{std::uint64_t{next}, arrivals[next].bound, arrivals[next].deadline};
        accepted += admit(limits, state, task, now) == Verdict::Accept ? 1 : 0;
        ++next;
      }
      while (state.running.size() < limits.workers && !state.queue.empty()) {
        const NextTask taken = take_next(state, now);
        ASSERT_TRUE(taken.late.empty()) << "seed " << seed;
        started += taken.start ? 1 : 0;
      }
    }
    EXPECT_EQ(started, accepted) << "seed " << seed;
    EXPECT_GT(accepted, 50U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace espalier::plan

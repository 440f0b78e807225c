// Fault drills in virtual time. In each, a fault holds from 2 s to 4 s of frames every 20 ms with a deadline of 18 ms.
// Properties of every drill:
//   - no deadline is missed and no task is refused where a local exit fits; what does not fit is refused at once
//   - every task ends exactly once; no request, slot or run is left over
//   - the server answers again within the longest pause after the fault
#include <gtest/gtest.h>

#include <random>

#include "plan/policy/admission.hpp"
#include "virtual_world.hpp"

namespace espalier::test {
namespace {

using plan::Place;
using plan::RemoteFailure;

constexpr Nanoseconds Millisecond = 1'000'000, Second = 1'000'000'000;
constexpr Nanoseconds FaultStart = 2 * Second, FaultEnd = 4 * Second, LongestPause = Second;
constexpr Nanoseconds Usual = 6 * Millisecond;  // of the server, with the way there and back

plan::DeadlineSettings settings() {
  plan::DeadlineSettings settings;
  settings.local = {{0, 2 * Millisecond, 9000}, {1, 5 * Millisecond, 9500}};
  settings.remote_exit = 2;
  settings.remote_accuracy = 9900;
  settings.first_pause = 100 * Millisecond;
  settings.longest_pause = LongestPause;
  return settings;
}

/// Runs the frames and checks what holds of every drill. Returns the share of frames in the fault that the server
/// answered.
double drill(const std::function<Fate(Nanoseconds, std::uint64_t)>& faulty) {
  VirtualWorld world(settings());
  world.server = [&](Nanoseconds now, std::uint64_t task) {
    return now >= FaultStart && now < FaultEnd ? faulty(now, task) : answered_after(Usual);
  };
  for (std::uint64_t task = 1; task <= 400; ++task)
    world.arrive(task, static_cast<Nanoseconds>(task) * 20 * Millisecond, 18 * Millisecond);
  world.run();
  world.check();
  EXPECT_EQ(world.refused(), 0U);
  EXPECT_EQ(world.from(Place::Local, 0, FaultStart - 20 * Millisecond), 0U);
  EXPECT_EQ(world.from(Place::Local, FaultEnd + LongestPause + 40 * Millisecond), 0U);
  return static_cast<double>(world.from(Place::Remote, FaultStart, FaultEnd)) / 100.0;
}

TEST(Drill, ServerKilledInMidRequest) {
  EXPECT_LE(drill([](Nanoseconds, std::uint64_t) { return failed_after(3 * Millisecond, RemoteFailure::Unreachable); }),
            0.01);
}

TEST(Drill, LinkCut) {
  EXPECT_LE(drill([](Nanoseconds, std::uint64_t) { return silent(); }), 0.01);
}

TEST(Drill, LinkAtATenth) {
  EXPECT_LE(drill([](Nanoseconds, std::uint64_t) { return answered_after(10 * Usual); }), 0.01);
}

TEST(Drill, ServerSlowButStillInTime) {
  EXPECT_GE(drill([](Nanoseconds, std::uint64_t) { return answered_after(2 * Usual); }), 0.8);
}

TEST(Drill, WrongAnswerSize) {
  EXPECT_LE(drill([](Nanoseconds, std::uint64_t) { return failed_after(Usual, RemoteFailure::WrongAnswer); }), 0.01);
}

TEST(Drill, StaleModelVersion) {
  EXPECT_LE(drill([](Nanoseconds, std::uint64_t) { return failed_after(Usual, RemoteFailure::Stale); }), 0.01);
}

TEST(Drill, ExpiredCertificate) {
  EXPECT_LE(drill([](Nanoseconds, std::uint64_t) { return failed_after(Millisecond, RemoteFailure::Stranger); }), 0.01);
}

TEST(Drill, FloodOfRequestsFindsTheLimits) {
  plan::DeadlineSettings with = settings();
  VirtualWorld world(with);
  plan::AdmissionState admission;
  const plan::AdmissionLimits limits{.capacity = 4, .workers = 1};
  // The server of this drill runs one request at a time and refuses by the policy of admission.
  world.server = [&](Nanoseconds now, std::uint64_t task) {
    std::erase_if(admission.running, [&](const plan::RunningTask& running) { return running.until <= now; });
    if (plan::admit(limits, admission, {task, 2 * Millisecond, now + 18 * Millisecond}, now) != plan::Verdict::Accept)
      return failed_after(Millisecond, RemoteFailure::Refused);
    Nanoseconds start = now;
    for (const plan::RunningTask& running : admission.running) start = std::max(start, running.until);
    plan::forget(admission, task);
    admission.running.push_back({task, start + 2 * Millisecond});
    return answered_after(start + 2 * Millisecond - now + Millisecond);
  };
  std::uint64_t task = 0;
  for (Nanoseconds frame = 0; frame < 50; ++frame) world.arrive(++task, frame * 20 * Millisecond, 18 * Millisecond);
  const std::uint64_t flood = task + 1;
  for (int i = 0; i < 200; ++i) world.arrive(++task, Second, 18 * Millisecond);
  const std::uint64_t after = task + 1;
  for (Nanoseconds frame = 0; frame < 100; ++frame)
    world.arrive(++task, 2 * Second + frame * 20 * Millisecond, 18 * Millisecond);
  world.run();
  world.check();
  // Nine exits of 2 ms fit before 18 ms: as many of the flood are answered at least, the rest is refused.
  EXPECT_GE(200 - world.refused(), 9U);
  EXPECT_GT(world.refused(), 0U);
  for (std::uint64_t other = 1; other < flood; ++other) EXPECT_FALSE(world.ends.at(other).refused);
  for (std::uint64_t other = after; other <= task; ++other) EXPECT_FALSE(world.ends.at(other).refused);
  EXPECT_GT(world.from(Place::Remote, 3 * Second), 40U);
}

/// Any fault, chosen anew for every request.
Fate random_fate(std::mt19937_64& engine) {
  Fate fate;
  switch (engine() % 8) {
    case 0:
      return silent();
    case 1:
      fate = failed_after(static_cast<Nanoseconds>(engine() % (30 * Millisecond)),
                          static_cast<RemoteFailure>(engine() % 6));
      break;
    case 2:
      fate = answered_after(static_cast<Nanoseconds>(engine() % (100 * Millisecond)));
      break;
    default:
      fate = answered_after(static_cast<Nanoseconds>(engine() % (10 * Millisecond)));
  }
  fate.twice = engine() % 4 == 0;
  return fate;
}

TEST(Drill, TenThousandRequestsWithRandomFaults) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 engine(seed);
    plan::DeadlineSettings with = settings();
    with.first_pause = 10 * Millisecond;
    with.longest_pause = 40 * Millisecond;
    VirtualWorld world(with);
    world.server = [&](Nanoseconds, std::uint64_t) { return random_fate(engine); };
    world.device = [&](const plan::LocalExit& exit) -> std::optional<Nanoseconds> {
      if (engine() % 50 == 0) return {};
      return exit.bound / 2 + static_cast<Nanoseconds>(engine() % static_cast<std::uint64_t>(exit.bound / 2 + 1));
    };
    Nanoseconds at = 0;
    for (std::uint64_t task = 1; task <= 10'000; ++task) {
      at += static_cast<Nanoseconds>(engine() % (12 * Millisecond));
      world.arrive(task, at, static_cast<Nanoseconds>(engine() % (30 * Millisecond)));
    }
    world.run();
    world.check();
    EXPECT_EQ(world.ends.size(), 10'000U);
    EXPECT_GT(world.from(Place::Remote), 1000U);
    EXPECT_GT(world.from(Place::Local), 1000U);
    EXPECT_GT(world.refused(), 0U);
  }
}

}  // namespace
}  // namespace espalier::test

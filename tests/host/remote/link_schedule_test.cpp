// Properties:
//   - the time of a transfer is the integral of the rate over phases, plus the delay; a cut waits for its end
//   - transfers share the link in order; equal seeds lose equal packets; without losses the seed does not matter
#include "link_schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace espalier::test {
namespace {

constexpr std::int64_t Millisecond = 1'000'000;

TEST(LinkSchedule, IntegratesTheRate) {
  // 1000 bytes in the first second, nothing for one, then 500 a second.
  LinkSchedule link({{1000 * Millisecond, 1000, 5 * Millisecond, 0}, {2000 * Millisecond, 0, 0, 0}, {0, 500, 7, 0}}, 1);
  EXPECT_EQ(link.send(0, 500), 505 * Millisecond);
  EXPECT_EQ(link.send(0, 250), 755 * Millisecond);
  EXPECT_EQ(link.send(0, 500), 2500 * Millisecond + 7);
  EXPECT_EQ(LinkSchedule({{0, 0, 0, 0}}, 1).send(3, 1), LinkSchedule::Never);
}

TEST(LinkSchedule, LosesByItsSeed) {
  const auto arrivals = [](std::uint64_t seed, double loss) {
    LinkSchedule link({{0, 150'000, Millisecond, loss}}, seed);
    std::vector<std::int64_t> result;
    for (std::int64_t i = 0; i < 200; ++i) result.push_back(link.send(i * 10 * Millisecond, 1500));
    return result;
  };
  EXPECT_EQ(arrivals(1, 0.1), arrivals(1, 0.1));
  EXPECT_NE(arrivals(1, 0.1), arrivals(2, 0.1));
  EXPECT_EQ(arrivals(1, 0), arrivals(2, 0));
  const std::vector<std::int64_t> lossy = arrivals(1, 0.1);
  EXPECT_TRUE(std::is_sorted(lossy.begin(), lossy.end()));
}

TEST(LinkSchedule, ReadsPhases) {
  EXPECT_EQ(parse_phase("2000:125000:10:0.01").until, 2000 * Millisecond);
  EXPECT_THROW(parse_phase("1:2:3"), std::invalid_argument);
  EXPECT_THROW(parse_phase("1:2:3:4x"), std::invalid_argument);
}

}  // namespace
}  // namespace espalier::test

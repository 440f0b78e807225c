// Properties:
//   - thresholds lose no more answers than allowed and cost no more cycles than leaving nowhere; on samples so few that
//   the
//     grid has all of them, no other thresholds within the loss cost less
//   - a loss of nothing with exits that are always wrong leaves nowhere; exits that are always right leave first
//   - shares sum to all; samples without entropies are refused
#include "plan/planners/exit_choice.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "esp_error.hpp"
#include "random.hpp"

namespace espalier::plan {
namespace {

const std::vector<std::int64_t> Cycles{100, 250, 400};

std::vector<ExitSample> random_samples(test::Random& random, int count) {
  std::vector<ExitSample> samples;
  for (int i = 0; i < count; ++i) {
    ExitSample& sample = samples.emplace_back();
    for (int exit = 0; exit < 3; ++exit) {
      const int entropy = random.between(0, 50);
      sample.entropies.push_back(entropy);
      sample.right.push_back(random.between(0, 50 + 40 * exit) > entropy);
    }
  }
  return samples;
}

TEST(ExitChoice, IsTheCheapestWithinTheLoss) {
  for (std::uint64_t round = 0; round < 50; ++round) {
    test::Random random(round);
    const std::vector<ExitSample> samples = random_samples(random, random.between(1, 40));
    const BasisPoints loss = random.between(0, 2000);
    const std::int64_t wanted =
        apply(samples, Cycles, {0, 0}).all_right - loss * static_cast<std::int64_t>(samples.size()) / Whole;
    const ExitStatistics chosen = apply(samples, Cycles, choose_thresholds(samples, Cycles, loss));
    EXPECT_GE(chosen.all_right, wanted);
    for (std::int32_t first = 0; first <= 51; ++first) {
      for (std::int32_t second = 0; second <= 51; ++second) {
        const ExitStatistics other = apply(samples, Cycles, {first, second});
        if (other.all_right >= wanted) ASSERT_GE(other.cycles, chosen.cycles) << first << " " << second;
      }
    }
  }
}

TEST(ExitChoice, LeavesWhereExitsAreRight) {
  const std::vector<ExitSample> right(10, {{5, 5, 5}, {true, true, true}});
  EXPECT_EQ(apply(right, Cycles, choose_thresholds(right, Cycles, 0)).left, (std::vector<std::int64_t>{10, 0, 0}));
  const std::vector<ExitSample> wrong(10, {{5, 5, 5}, {false, false, true}});
  EXPECT_EQ(apply(wrong, Cycles, choose_thresholds(wrong, Cycles, 0)).left, (std::vector<std::int64_t>{0, 0, 10}));
}

TEST(ExitChoice, SharesSumToAll) {
  for (std::uint64_t round = 0; round < 100; ++round) {
    test::Random random(round);
    std::vector<std::int64_t> left(static_cast<std::size_t>(random.between(1, 6)));
    for (auto& count : left) count = random.between(0, 97);
    left.back() += 1;
    const std::vector<BasisPoints> shares = exit_shares(left);
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), BasisPoints{0}), Whole);
    for (std::size_t i = 0; i < left.size(); ++i) EXPECT_EQ(shares[i] == 0, left[i] == 0);
  }
}

TEST(ExitChoice, RefusesSamplesOfOtherExits) {
  EXPECT_THROW(choose_thresholds({}, Cycles, 0), Error);
  EXPECT_THROW(choose_thresholds({{{1, 2}, {true, true}}}, Cycles, 0), Error);
}

}  // namespace
}  // namespace espalier::plan

// The sparse schedule of random rows:
// - every tap is issued exactly once, within its row, and the last entry of a row is marked;
// - no bank port is asked for two words in a slot, at any base address;
// - it is not shorter than its lower bound, and close to it where the study says so.
#include "compile/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "random.hpp"

namespace espalier::test {
namespace {

std::vector<compile::Row> random_rows(Random& random, int count, int words, double density) {
  std::vector<compile::Row> rows(static_cast<std::size_t>(count));
  for (auto& row : rows) {
    for (int word = 0; word < words; ++word) {
      if (!random.chance(density)) continue;
      row.push_back({static_cast<std::uint16_t>(word * 7), static_cast<std::int8_t>(random.between(1, 127))});
    }
  }
  return rows;
}

std::vector<std::pair<int, int>> sorted_taps(const compile::Row& row) {
  std::vector<std::pair<int, int>> taps;
  for (const auto& tap : row) taps.emplace_back(tap.offset, tap.weight);
  std::sort(taps.begin(), taps.end());
  return taps;
}

void check_conflicts(const compile::Schedule& schedule) {
  for (const auto& slot : schedule.slots) {
    for (std::size_t group = 0; group < slot.size(); group += abi::LanesPerPort) {
      std::map<unsigned, unsigned> words;
      for (std::size_t k = group; k < std::min<std::size_t>(slot.size(), group + abi::LanesPerPort); ++k) {
        if (!slot[k].valid) continue;
        const auto [word, inserted] = words.try_emplace(slot[k].offset % abi::Banks, slot[k].offset);
        ASSERT_EQ(word->second, slot[k].offset);
      }
    }
  }
}

void check_rows(const compile::Schedule& schedule, const std::vector<compile::Row>& rows) {
  std::size_t issued = 0;
  for (std::size_t lane = 0; lane < schedule.lane_rows.size(); ++lane) {
    compile::Row row;
    std::size_t finished = 0;
    for (const auto& slot : schedule.slots) {
      if (slot[lane].valid) row.push_back({slot[lane].offset, slot[lane].weight});
      if (!slot[lane].last) continue;
      ASSERT_LT(finished, schedule.lane_rows[lane].size());
      const auto& expected = rows[static_cast<std::size_t>(schedule.lane_rows[lane][finished++])];
      ASSERT_EQ(sorted_taps(row), sorted_taps(expected));
      row.clear();
      ++issued;
    }
    ASSERT_TRUE(row.empty());
    ASSERT_EQ(finished, schedule.lane_rows[lane].size());
  }
  ASSERT_EQ(issued, rows.size());
}

TEST(Schedule, IssuesEveryTapOnceWithoutConflict) {
  for (std::uint64_t index = 0; index < 60; ++index) {
    Random random(index);
    const auto rows = random_rows(random, random.between(1, 60), random.between(1, 200), random.unit());
    const auto schedule = compile::schedule_rows(rows, random.chance(0.5) ? 8 : 16);
    ASSERT_NO_FATAL_FAILURE(check_rows(schedule, rows));
    ASSERT_NO_FATAL_FAILURE(check_conflicts(schedule));
    ASSERT_GE(schedule.size(), schedule.lower_bound);
  }
}

// The mean over several sets of rows: a single set may be a little above.
TEST(Schedule, ReachesTheBoundWithinThreePercentWhereRowsAreMany) {
  constexpr int Sets = 8;
  for (const int percent : {5, 10, 25, 50}) {
    double slots = 0;
    double bound = 0;
    for (int set = 0; set < Sets; ++set) {
      Random random(static_cast<std::uint64_t>(percent * Sets + set));
      const auto schedule = compile::schedule_rows(random_rows(random, 128, 1152, percent / 100.0), 16);
      slots += schedule.size();
      bound += schedule.lower_bound;
    }
    EXPECT_LE(slots, bound * 1.03) << "density " << percent << " %: " << slots / bound;
  }
}

TEST(Schedule, TakesOneSlotForAnEmptyRow) {
  const std::vector<compile::Row> rows(3);
  const auto schedule = compile::schedule_rows(rows, 8);
  EXPECT_EQ(schedule.size(), 1);
  ASSERT_NO_FATAL_FAILURE(check_rows(schedule, rows));
}

}  // namespace
}  // namespace espalier::test

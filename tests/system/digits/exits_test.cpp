// The shipped digit network with exits on shipped images:
//   - CPU reference, functional model and RTL leave at the same exit with the same bytes
//   - every layer and every exit takes the predicted cycles on the RTL
//   - the first exit ends at no more than 35 % of the cycles of all
#include "exits.hpp"

#include <gtest/gtest.h>

namespace espalier::test {
namespace {

TEST(DigitExits, AreTheSameEverywhereInThePredictedCycles) {
  const std::filesystem::path folder = ESPALIER_DIGITS;
  const ExitScores scores = check_exits({folder / "images.idx3-ubyte", folder / "labels.idx1-ubyte"}, 100, 3);
  EXPECT_EQ(scores.images, 100);
  EXPECT_GE(scores.right(), 98);
  ASSERT_GE(scores.exits.size(), 3U);
  EXPECT_GT(scores.exits.front().on_rtl, 0);
  EXPECT_LE(scores.exits.front().cycles * 100, scores.exits.back().cycles * 35);
  EXPECT_GE(scores.exits.front().left, 80);
}

}  // namespace
}  // namespace espalier::test

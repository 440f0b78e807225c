// Cases computed by hand.
#include "results/boxes.hpp"

#include <gtest/gtest.h>

namespace espalier::results {
namespace {

const Box Square{0, 0, 10, 10, 0.9, 0, {}};

TEST(Boxes, OverlapIsIntersectionOverUnion) {
  EXPECT_DOUBLE_EQ(overlap(Square, Square), 1);
  EXPECT_DOUBLE_EQ(overlap(Square, {5, 0, 15, 10, 0, 0, {}}), 50.0 / 150);
  EXPECT_DOUBLE_EQ(overlap(Square, {2, 2, 4, 4, 0, 0, {}}), 0.04);
  EXPECT_DOUBLE_EQ(overlap(Square, {10, 0, 20, 10, 0, 0, {}}), 0);
  EXPECT_DOUBLE_EQ(overlap(Square, {3, 3, 3, 3, 0, 0, {}}), 0);
}

TEST(Boxes, TheBestOfAPileStays) {
  const std::vector<Box> boxes{{1, 0, 11, 10, 0.3, 0, {}}, Square, {40, 40, 50, 50, 0.5, 0, {}}};
  const std::vector<Box> kept = suppress(boxes, 0.5, Suppression::Plain);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_DOUBLE_EQ(kept[0].left, 0);
  EXPECT_DOUBLE_EQ(kept[0].score, 0.9);
  EXPECT_DOUBLE_EQ(kept[1].left, 40);
}

TEST(Boxes, OrThePileBecomesItsWeightedMean) {
  const std::vector<Box> kept = suppress({{1, 4, 11, 14, 0.3, 0, {}}, Square}, 0.3, Suppression::Weighted);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_DOUBLE_EQ(kept[0].left, 0.3 * 1 / 1.2);
  EXPECT_DOUBLE_EQ(kept[0].top, 0.3 * 4 / 1.2);
  EXPECT_DOUBLE_EQ(kept[0].right, (0.3 * 11 + 0.9 * 10) / 1.2);
  EXPECT_DOUBLE_EQ(kept[0].bottom, (0.3 * 14 + 0.9 * 10) / 1.2);
  EXPECT_DOUBLE_EQ(kept[0].score, 0.9);
}

TEST(Boxes, OtherLabelsAndSmallOverlapsStay) {
  EXPECT_EQ(suppress({Square, {0, 0, 10, 10, 0.8, 1, {}}}, 0.5, Suppression::Plain).size(), 2U);
  EXPECT_EQ(suppress({Square, {5, 0, 15, 10, 0.8, 0, {}}}, 0.5, Suppression::Plain).size(), 2U);
  EXPECT_TRUE(suppress({}, 0.5, Suppression::Weighted).empty());
}

TEST(Boxes, MoveIntoThePicture) {
  const Box box = moved({10, 20, 130, 40, 0.5, 3, {{10, 20}}}, {2, 3, 0, -30}, 200, 100);
  EXPECT_DOUBLE_EQ(box.left, 20);
  EXPECT_DOUBLE_EQ(box.top, 30);
  EXPECT_DOUBLE_EQ(box.right, 200);
  EXPECT_DOUBLE_EQ(box.bottom, 90);
  EXPECT_EQ(box.label, 3);
  ASSERT_EQ(box.corners.size(), 1U);
  EXPECT_DOUBLE_EQ(box.corners[0].y, 30);
}

}  // namespace
}  // namespace espalier::results

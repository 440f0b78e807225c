// Cases computed by hand.
#include "results/text_boxes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace espalier::results {
namespace {

/// A map with a value where the picture has a sign.
std::vector<double> map_of(const std::vector<std::string>& rows, double value) {
  std::vector<double> map;
  for (const std::string& row : rows)
    for (const char sign : row) map.push_back(sign == '#' ? value : 0.1);
  return map;
}

TEST(TextBoxes, GrowByAreaTimesRatioOverPerimeter) {
  std::vector<std::string> rows(20, std::string(30, '.'));
  for (std::size_t y = 8; y < 12; ++y) rows[y].replace(5, 12, 12, '#');
  const std::vector<Box> boxes = decode_text(map_of(rows, 0.8), 20, 30, {});
  ASSERT_EQ(boxes.size(), 1U);
  const double by = 12.0 * 4 * 1.5 / 32;  // 2.25
  EXPECT_NEAR(boxes[0].left, 5 - by, 1e-9);
  EXPECT_NEAR(boxes[0].right, 17 + by, 1e-9);
  EXPECT_NEAR(boxes[0].top, 8 - by, 1e-9);
  EXPECT_NEAR(boxes[0].bottom, 12 + by, 1e-9);
  EXPECT_NEAR(boxes[0].score, 0.8, 1e-9);
  ASSERT_EQ(boxes[0].corners.size(), 4U);
  EXPECT_NEAR(boxes[0].corners[0].x, 5 - by, 1e-9);
  EXPECT_NEAR(boxes[0].corners[1].x, 17 + by, 1e-9);
  EXPECT_NEAR(boxes[0].corners[2].y, 12 + by, 1e-9);
}

TEST(TextBoxes, ComponentsTouchAtCornersAndEndAtTheBorder) {
  const std::vector<Box> joined =
      decode_text(map_of({"###...", "###...", "###...", "...###", "...###", "...###"}, 0.9), 6, 6, {0.3, 0.6, 1.5, 2});
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_DOUBLE_EQ(joined[0].left, 0);
  EXPECT_DOUBLE_EQ(joined[0].bottom, 6);
  EXPECT_EQ(decode_text(map_of({"###.###", "###.###", "###.###"}, 0.9), 3, 7, {}).size(), 2U);
}

TEST(TextBoxes, SmallOrUnlikelyOnesAreLeftOut) {
  EXPECT_TRUE(decode_text(map_of({"....", ".##.", ".##.", "...."}, 0.9), 4, 4, {}).empty());
  EXPECT_TRUE(decode_text(map_of({"###", "###", "###"}, 0.5), 3, 3, {}).empty());
  EXPECT_TRUE(decode_text(map_of({"...", "...", "..."}, 0.5), 3, 3, {}).empty());
  EXPECT_EQ(decode_text(map_of({"###", "###", "###"}, 0.5), 3, 3, {0.3, 0.4, 1.5, 3}).size(), 1U);
}

TEST(TextBoxes, TheRectangleTurnsWithThePoints) {
  // A square of sides sqrt(2) standing on a corner: half the area of the upright one around it.
  const std::vector<Point> corners = least_rectangle({{1, 0}, {2, 1}, {1, 2}, {0, 1}, {1, 1}});
  ASSERT_EQ(corners.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(std::hypot(corners[i].x - corners[(i + 1) % 4].x, corners[i].y - corners[(i + 1) % 4].y),
                std::sqrt(2.0), 1e-9);
  EXPECT_EQ(least_rectangle({{3, 3}}).size(), 4U);
  EXPECT_EQ(least_rectangle({}).size(), 4U);
  const std::vector<Point> line = least_rectangle({{0, 0}, {2, 2}, {1, 1}});
  EXPECT_NEAR(std::hypot(line[0].x - line[2].x, line[0].y - line[2].y), std::hypot(2, 2), 1e-9);
}

}  // namespace
}  // namespace espalier::results

// Cases computed by hand.
#include "results/anchors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "esp_error.hpp"

namespace espalier::results {
namespace {

TEST(Anchors, LieInTheCentresOfCellsGridByGrid) {
  const std::vector<Point> anchors = make_anchors(128, 128, parse_grids("8:2,16:6"));
  ASSERT_EQ(anchors.size(), 896U);
  EXPECT_DOUBLE_EQ(anchors[0].x, 4);
  EXPECT_DOUBLE_EQ(anchors[1].x, 4);
  EXPECT_DOUBLE_EQ(anchors[2].x, 12);
  EXPECT_DOUBLE_EQ(anchors[2].y, 4);
  EXPECT_DOUBLE_EQ(anchors[32].y, 12);
  EXPECT_DOUBLE_EQ(anchors[512].x, 8);
  EXPECT_DOUBLE_EQ(anchors[512 + 6].x, 24);
  EXPECT_EQ(make_anchors(10, 20, parse_grids("8:1")).size(), 6U);
}

TEST(Anchors, GridsAreReadOrRefused) {
  EXPECT_EQ(parse_grids("8:2,16:6"), (std::vector<Grid>{{8, 2}, {16, 6}}));
  for (const char* text : {"", "8", "8:", "8:2,", "8:2;4:1", "0:1", "8:-1", "a:b", "99999:1"})
    EXPECT_THROW(parse_grids(text), Error) << text;
}

/// Two cells of 8 pixels; the second is sure.
TEST(Anchors, RegressorsAndScoresBecomeBoxes) {
  const std::vector<double> regressors{0, 0, 4, 4, 9, 9, 1, -2, 6, 10, 9, 9}, scores{-3, std::log(3.0)};
  const std::vector<Tensor> outputs{{"r", {1, 2, 6}, regressors}, {"s", {1, 2, 1}, scores}};
  const std::vector<Box> boxes = decode_anchors(outputs, {8, 16, {{8, 1}}, 0.5, 1});
  ASSERT_EQ(boxes.size(), 1U);
  EXPECT_DOUBLE_EQ(boxes[0].left, 12 + 1 - 3);
  EXPECT_DOUBLE_EQ(boxes[0].right, 12 + 1 + 3);
  EXPECT_DOUBLE_EQ(boxes[0].top, 4 - 2 - 5);
  EXPECT_DOUBLE_EQ(boxes[0].bottom, 4 - 2 + 5);
  EXPECT_DOUBLE_EQ(boxes[0].score, 0.75);
}

/// One pair for every grid, in any order: the larger grid comes first. Scores of classes name the best one.
TEST(Anchors, PairsOfSeveralGridsAreFoundByTheirSize) {
  const std::vector<double> coarse_scores{9, 0}, fine_scores{-9, -9, -9, -9, -9, -9, 2, 3}, coarse{1, 1, 2, 2};
  std::vector<double> fine(16, 0);
  fine[14] = fine[15] = 2;
  const std::vector<Tensor> outputs{{"cs", {1, 1, 2}, coarse_scores},
                                    {"fs", {1, 4, 2}, fine_scores},
                                    {"c", {1, 1, 4}, coarse},
                                    {"f", {1, 4, 4}, fine}};
  const std::vector<Box> boxes = decode_anchors(outputs, {16, 16, {{8, 1}, {16, 1}}, 0.5, 1});
  ASSERT_EQ(boxes.size(), 2U);
  EXPECT_DOUBLE_EQ(boxes[0].left, 11);
  EXPECT_EQ(boxes[0].label, 1);
  EXPECT_DOUBLE_EQ(boxes[1].left, 8);
  EXPECT_EQ(boxes[1].label, 0);
}

TEST(Anchors, OtherOutputsAreRefused) {
  const std::vector<double> values(64, 0);
  const auto refused = [&](const std::vector<Tensor>& outputs) {
    EXPECT_THROW(decode_anchors(outputs, {8, 16, {{8, 1}}, 0.5, 1}), Error);
  };
  refused({{"one", {1, 2, 4}, values}});
  refused({{"flat", {8}, values}, {"s", {1, 2, 1}, values}});
  refused({{"r", {1, 2, 4}, values}, {"alike", {1, 2, 6}, values}});
  refused({{"r", {1, 3, 4}, values}, {"s", {1, 3, 1}, values}});
  EXPECT_THROW(
      decode_anchors(std::vector<Tensor>{{"r", {1, 3, 4}, values}, {"s", {1, 3, 1}, values}}, {8, 16, {}, 0.5, 1}),
      Error);
}

}  // namespace
}  // namespace espalier::results

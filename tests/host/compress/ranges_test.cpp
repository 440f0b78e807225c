// Properties: histograms count what falls into each part; every method gives the range computed by hand for small
// distributions; zero is inside every range; divergence is that of the formula; levels cover the range.
#include "compress/ranges.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "esp_error.hpp"
#include "random.hpp"

namespace espalier::compress {
namespace {

std::vector<float> repeated(float value, std::size_t count) { return std::vector<float>(count, value); }

/// One value in the middle of each bin.
std::vector<float> uniform(const Range& range) {
  std::vector<float> values;
  const float width = (range.high - range.low) / static_cast<float>(Histogram::Bins);
  for (std::size_t i = 0; i < Histogram::Bins; ++i)
    values.push_back(range.low + (static_cast<float>(i) + 0.5F) * width);
  return values;
}

TEST(Histogram, CountsWithSaturation) {
  Histogram histogram({-1024, 1024});
  EXPECT_TRUE(histogram.empty());
  histogram.add(std::vector<float>{-5000, -1023.5F, 0, 0.5F, 1023.5F, 5000});
  EXPECT_EQ(histogram.nonzero_counts()[1024], 1U);
  EXPECT_EQ(histogram.counts()[0], 2U);
  EXPECT_EQ(histogram.counts()[1024], 2U);
  EXPECT_EQ(histogram.counts()[2047], 2U);
  Histogram nothing({0, 0});
  nothing.add(std::vector<float>{0, 0});
  EXPECT_TRUE(nothing.empty());
}

TEST(Ranges, PercentileLeavesOutTheTails) {
  Histogram histogram({-1024, 1024});
  histogram.add(repeated(-10.5F, 49));
  histogram.add(repeated(20.5F, 49));
  histogram.add(std::vector<float>{-1000, 1000});
  EXPECT_EQ(percentile_range(histogram, 98), (Range{-11, 21}));
  EXPECT_EQ(percentile_range(histogram, 100), (Range{-1000, 1001}));
}

// 10000 values within [0, 1) and one at 100: error(f) = 10000 (100 f / 255)^2 / 12 + (99.98 - 100 f)^2, least at 0.984.
TEST(Ranges, LeastErrorTradesOutliersForSteps) {
  Histogram histogram({0, 100});
  for (int i = 0; i < 10000; ++i) histogram.add(std::vector<float>{static_cast<float>(i) / 10000});
  histogram.add(std::vector<float>{100});
  EXPECT_NEAR(least_error_range(histogram).high, 98.4, 1e-3);
}

TEST(Ranges, UniformDistributionsAreKept) {
  for (const Range range : {Range{0, 6}, Range{-2, 2}, Range{-3, 1}}) {
    Histogram histogram(range);
    histogram.add(uniform(range));
    EXPECT_EQ(least_error_range(histogram), range);
    EXPECT_EQ(least_divergence_range(histogram), range);
  }
}

TEST(Ranges, LeastDivergenceClipsALoneOutlier) {
  Histogram histogram({0, 100});
  for (int i = 0; i < 10000; ++i) histogram.add(std::vector<float>{static_cast<float>(i) / 10000});
  histogram.add(std::vector<float>{100});
  EXPECT_LT(least_divergence_range(histogram).high, 100);
}

TEST(Ranges, KeepZeroAndStayInsideTheHistogram) {
  test::Random random;
  std::normal_distribution<float> normal;
  for (int round = 0; round < 10; ++round) {
    std::vector<float> values(5000);
    for (float& value : values) value = normal(random.engine()) * normal(random.engine());
    Range range;
    widen(range, values);
    Histogram histogram(range);
    histogram.add(values);
    for (const Range& found :
         {percentile_range(histogram, 99), least_error_range(histogram), least_divergence_range(histogram)}) {
      EXPECT_LE(found.low, 0);
      EXPECT_GE(found.high, 0);
      EXPECT_GE(found.low, range.low);
      EXPECT_LE(found.high, range.high * 1.001F);
    }
  }
}

TEST(Ranges, DivergenceIsThatOfTheFormula) {
  EXPECT_NEAR(divergence(std::vector<double>{1, 1}, std::vector<double>{1, 3}),
              0.5 * std::log(2) + 0.5 * std::log(2.0 / 3), 1e-12);
  EXPECT_NEAR(divergence(std::vector<double>{1, 2, 0}, std::vector<double>{10, 20, 0}), 0, 1e-12);
  EXPECT_EQ(divergence(std::vector<double>{1, 1}, std::vector<double>{1, 0}), std::numeric_limits<double>::infinity());
}

TEST(Ranges, LevelsCoverTheRange) {
  const model::Quantisation levels = to_quantisation({-1, 1.55F});
  EXPECT_FLOAT_EQ(levels.scale[0], 0.01F);
  EXPECT_EQ(levels.zero, -28);
  EXPECT_EQ(to_quantisation({0, 0}), (model::Quantisation{{1.0F}, 0, 0}));
}

TEST(Ranges, RefuseValuesThatAreNotFinite) {
  Range range;
  EXPECT_THROW(widen(range, std::vector<float>{std::nanf("")}), Error);
}

}  // namespace
}  // namespace espalier::compress

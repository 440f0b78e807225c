// Properties:
//   - an unstructured mask keeps exactly round(density * count) weights, the largest ones
//   - 2:4 keeps two of four input channels, block4x4 whole blocks, pattern4of9 kernels of four with their middle or
//   none
//   - a density below that of the pattern removes whole units and is reached to the nearest unit
//   - rows of a pruned layer are of unequal density
//   - masks are a function of the seed
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "esp_error.hpp"
#include "zoo/magnitudes.hpp"

namespace espalier::zoo {
namespace {

using model::make_mask;
using model::parse_pattern;
using model::Pattern;
using model::WeightShape;

constexpr WeightShape Shape{32, 24, 3, 3};

struct Masked {
  std::vector<float> magnitudes;
  std::vector<std::uint8_t> keep;

  std::size_t kept() const { return std::accumulate(keep.begin(), keep.end(), std::size_t{0}); }
  std::uint8_t at(std::size_t output, std::size_t input, std::size_t tap) const {
    return keep[output * Shape.row() + input * Shape.taps() + tap];
  }
};

Masked masked(Pattern pattern, double density, std::uint64_t seed = 1) {
  Random random(seed);
  Masked result{make_magnitudes(Shape, random), {}};
  result.keep = make_mask(Shape, result.magnitudes, pattern, density);
  return result;
}

TEST(Masks, UnstructuredKeepsTheLargestExactly) {
  for (const double density : {0.0, 0.05, 0.1, 0.25, 0.5, 0.999, 1.0}) {
    const Masked mask = masked(Pattern::Unstructured, density);
    EXPECT_EQ(mask.kept(), static_cast<std::size_t>(std::llround(density * static_cast<double>(Shape.count()))));
    float least_kept = INFINITY, largest_pruned = 0;
    for (std::size_t i = 0; i < mask.keep.size(); ++i) {
      if (mask.keep[i] != 0) least_kept = std::min(least_kept, mask.magnitudes[i]);
      if (mask.keep[i] == 0) largest_pruned = std::max(largest_pruned, mask.magnitudes[i]);
    }
    EXPECT_GE(least_kept, largest_pruned);
  }
}

TEST(Masks, TwoOfFourKeepsTwoOfFourChannels) {
  for (const double density : {1.0, 0.5, 0.2}) {
    const Masked mask = masked(Pattern::TwoOfFour, density);
    EXPECT_NEAR(static_cast<double>(mask.kept()) / static_cast<double>(Shape.count()), std::min(density, 0.5), 1e-3);
    for (std::size_t output = 0; output < 32; ++output)
      for (std::size_t input = 0; input < 24; input += 4)
        for (std::size_t tap = 0; tap < 9; ++tap) {
          int kept = 0;
          for (std::size_t i = 0; i < 4; ++i) kept += mask.at(output, input + i, tap);
          EXPECT_TRUE(kept == 2 || (density < 0.5 && kept == 0)) << kept;
        }
  }
}

TEST(Masks, BlocksAreKeptWhole) {
  const Masked mask = masked(Pattern::Block4x4, 0.25);
  EXPECT_EQ(mask.kept(), Shape.count() / 4);
  for (std::size_t output = 0; output < 32; ++output)
    for (std::size_t input = 0; input < 24; ++input)
      for (std::size_t tap = 0; tap < 9; ++tap)
        EXPECT_EQ(mask.at(output, input, tap), mask.at(output / 4 * 4, input / 4 * 4, tap));
}

TEST(Masks, PatternsKeepFourOfNineWithTheMiddle) {
  for (const double density : {1.0, 0.2}) {
    const Masked mask = masked(Pattern::FourOfNine, density);
    for (std::size_t output = 0; output < 32; ++output)
      for (std::size_t input = 0; input < 24; ++input) {
        int kept = 0;
        for (std::size_t tap = 0; tap < 9; ++tap) kept += mask.at(output, input, tap);
        EXPECT_TRUE((kept == 4 && mask.at(output, input, 4) == 1) || (density < 0.4 && kept == 0)) << kept;
      }
    EXPECT_NEAR(static_cast<double>(mask.kept()) / static_cast<double>(Shape.count()), std::min(density, 4.0 / 9),
                1e-2);
  }
}

TEST(Masks, RowsAreOfUnequalDensity) {
  const Masked mask = masked(Pattern::Unstructured, 0.1);
  std::vector<int> rows(32, 0);
  for (std::size_t i = 0; i < mask.keep.size(); ++i) rows[i / Shape.row()] += mask.keep[i];
  const auto [least, most] = std::minmax_element(rows.begin(), rows.end());
  EXPECT_GT(*most, 2 * *least);
}

TEST(Masks, AreAFunctionOfTheSeed) {
  EXPECT_EQ(masked(Pattern::Unstructured, 0.3, 5).keep, masked(Pattern::Unstructured, 0.3, 5).keep);
  EXPECT_NE(masked(Pattern::Unstructured, 0.3, 5).keep, masked(Pattern::Unstructured, 0.3, 6).keep);
}

TEST(Masks, PatternsHaveNames) {
  for (const Pattern pattern : {Pattern::Unstructured, Pattern::TwoOfFour, Pattern::Block4x4, Pattern::FourOfNine})
    EXPECT_EQ(parse_pattern(to_string(pattern)), pattern);
  EXPECT_THROW(parse_pattern("3:4"), Error);
}

}  // namespace
}  // namespace espalier::zoo

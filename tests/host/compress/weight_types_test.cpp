// Properties: every type rounds as computed by hand; zeros stay zeros; a codebook has no more values than it may and is
// as good as the best pair that exists; scales grow with a bias that would not fit.
#include "compress/weight_types.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "compress/codebook.hpp"
#include "esp_error.hpp"
#include "random.hpp"

namespace espalier::compress {
namespace {

using Bytes = std::vector<std::int8_t>;

RoundedWeights round_row(std::vector<float> values, WeightType type, double bias = 0) {
  const auto size = static_cast<std::int64_t>(values.size());
  return round_weights({{1, size, 1, 1}, std::move(values)}, type, {{bias}, 1.0});
}

TEST(WeightTypes, AreRoundedAsByHand) {
  EXPECT_EQ(round_row({1.27F, -0.5F, 0, 0.01F}, WeightType::Int8).weights, (Bytes{127, -50, 0, 1}));
  EXPECT_EQ(round_row({7, -7, 3.4F, 0}, WeightType::Int4).weights, (Bytes{7, -7, 3, 0}));
  const RoundedWeights ternary = round_row({1, -1, 0.9F, 0.1F}, WeightType::Ternary);
  EXPECT_EQ(ternary.weights, (Bytes{1, -1, 1, 0}));
  EXPECT_NEAR(ternary.scale[0], 2.9 / 3, 1e-6);
  const RoundedWeights binary = round_row({1, -3, 0, 2}, WeightType::Binary);
  EXPECT_EQ(binary.weights, (Bytes{1, -1, 0, 1}));
  EXPECT_FLOAT_EQ(binary.scale[0], 2);
  EXPECT_EQ(round_row({1.27F, 1.26F, -1, -1.01F, 0.5F, 0.1F}, WeightType::Codebook2).weights,
            (Bytes{126, 126, -100, -100, 50, 10}));
}

TEST(WeightTypes, KeepZerosAndTheirNumberOfValues) {
  test::Random random;
  std::normal_distribution<float> normal;
  std::vector<float> values(8 * 60);
  for (float& value : values) value = random.unit() < 0.5F ? 0 : normal(random.engine());
  for (const WeightType type : AllWeightTypes) {
    const RoundedWeights rounded = round_weights({{8, 60, 1, 1}, values}, type, {std::vector<double>(8, 0.0), 1.0});
    std::set<int> different;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::abs(values[i]) <= 0) EXPECT_EQ(rounded.weights[i], 0);
      if (rounded.weights[i] != 0) different.insert(rounded.weights[i]);
    }
    EXPECT_LE(different.size(), std::size_t{1} << static_cast<unsigned>(bits(type))) << to_string(type);
    EXPECT_EQ(parse_weight_type(to_string(type)), type);
  }
  EXPECT_THROW(parse_weight_type("int5"), Error);
}

double cost(const Bytes& before, const Bytes& after) {
  double sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) sum += std::pow(before[i] - after[i], 2);
  return sum;
}

TEST(Codebook, IsTheBestPair) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    test::Random random(seed);
    Bytes weights(7);
    for (std::int8_t& weight : weights)
      weight = static_cast<std::int8_t>(random.between(1, 127) * (random.between(0, 1) == 0 ? 1 : -1));
    Bytes shared = weights;
    share_values(shared, {1.0F}, 2);
    double best = std::numeric_limits<double>::infinity();
    for (int a = -128; a < 128; ++a)
      for (int b = a; b < 128; ++b) {
        double sum = 0;
        for (const int weight : weights) sum += std::min(std::pow(weight - a, 2), std::pow(weight - b, 2));
        best = std::min(best, sum);
      }
    EXPECT_EQ(cost(weights, shared), best) << seed;
  }
}

TEST(WeightTypes, ABiasTooLargeMakesTheScaleCoarser) {
  EXPECT_GE(round_row({1e-6F, 0}, WeightType::Int8, 1e6).scale[0], 1e6F / static_cast<float>(1 << 30));
  EXPECT_GT(round_row({0, 0}, WeightType::Int8, 1).scale[0], 0);
}

}  // namespace
}  // namespace espalier::compress

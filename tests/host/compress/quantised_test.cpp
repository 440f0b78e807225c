// Properties: inputs are quantised as QuantizeLinear does (ties to even, saturated); integer inputs pass unchanged and
// must be in range; outputs are dequantised, shifted or put through Softmax as described; wrong sizes are refused.
#include "compress/quantised.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "esp_error.hpp"

namespace espalier::compress {
namespace {

using model::ElementType;
using Bytes = std::vector<std::int8_t>;

TEST(Input, RoundsTiesToEvenAndSaturates) {
  const Input input{"x", ElementType::Float, {1, 6}, 0.5F, 3};
  const std::vector<float> values{0.25F, 0.75F, -0.25F, 1000.0F, -1000.0F, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(to_int8(input, values), (Bytes{3, 5, 3, 127, -128, 127}));
}

TEST(Input, TakesIntegersAsTheyAre) {
  EXPECT_EQ(to_int8({"x", ElementType::UInt8, {3}, 1, 0}, std::vector<float>{0, 128, 255}), (Bytes{-128, 0, 127}));
  EXPECT_EQ(to_int8({"x", ElementType::Int8, {3}, 1, 0}, std::vector<float>{-128, 0, 127}), (Bytes{-128, 0, 127}));
}

TEST(Input, RefusesWhatDoesNotFit) {
  const Input bytes{"x", ElementType::UInt8, {1}, 1, 0}, reals{"x", ElementType::Float, {1}, 1, 0};
  for (const float value : {-1.0F, 256.0F, 0.5F, std::nanf("")})
    EXPECT_THROW(to_int8(bytes, std::vector<float>{value}), Error) << value;
  EXPECT_THROW(to_int8(reals, std::vector<float>{std::nanf("")}), Error);
  EXPECT_THROW(to_int8(reals, std::vector<float>{1, 2}), Error);
}

TEST(Output, IsWhatTheModelFileDefines) {
  const Bytes bytes{-128, 1, 127};
  EXPECT_EQ(to_real({"y", ElementType::Float, {1, 3}, 0.5F, 1, {}}, bytes), (std::vector<float>{-64.5F, 0, 63}));
  EXPECT_EQ(to_real({"y", ElementType::UInt8, {1, 3}, 0.5F, 1, {}}, bytes), (std::vector<float>{0, 129, 255}));
  EXPECT_EQ(to_real({"y", ElementType::Int8, {1, 3}, 0.5F, 1, {}}, bytes), (std::vector<float>{-128, 1, 127}));
  const auto shares = to_real({"y", ElementType::Float, {1, 3}, 0.01F, 1, 1}, bytes);
  EXPECT_NEAR(shares[0] + shares[1] + shares[2], 1, 1e-6);
  EXPECT_NEAR(shares[2] / shares[1], std::exp(1.26F), 1e-4);
}

}  // namespace
}  // namespace espalier::compress

// Properties: multiply-accumulates are output elements times the length of a sum: of convolutions in integers, and of
// Conv, ConvTranspose, Gemm and MatMul that stay in float32, with weights or between activations, in every direction,
// with groups; zero weights are counted apart; nothing else has any.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "model/layer_text.hpp"
#include "model/network.hpp"
#include "model/onnx_import.hpp"
#include "onnx_builder.hpp"

namespace espalier::test {
namespace {

/// Of a Real layer whose operator `build` adds as "y".
model::MacCount real_count(const std::function<void(OnnxBuilder&)>& build) {
  OnnxBuilder b(13);
  build(b);
  b.output("y");
  model::Layer layer;
  layer.kind = model::LayerKind::Real;
  layer.real = std::make_shared<const model::Graph>(model::import_onnx_bytes(b.bytes()));
  EXPECT_EQ(layer.real->nodes.size(), 1U);
  return model::count_macs({}, layer);
}

/// Every fourth is zero.
std::string quarter_zero(OnnxBuilder& b, const std::string& name, const model::Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(model::count_elements(shape, name)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 4);
  return b.floats(name, shape, values);
}

void expect_count(const model::MacCount& count, std::int64_t all, std::int64_t nonzero) {
  EXPECT_EQ(count.all, all);
  EXPECT_EQ(count.nonzero, nonzero);
}

TEST(MacCount, OfConvolutionsInIntegers) {
  model::Network network = model::parse_layer("conv ic16 ih14 iw14 oc32 kh3 kw3 ph1 pw1");
  std::fill_n(network.layers[0].weights.begin(), 16 * 9, std::int8_t{0});
  expect_count(model::count_macs(network, network.layers[0]), 14 * 14 * 32 * 16 * 9, 14 * 14 * 31 * 16 * 9);
  const model::Network pool = model::parse_layer("maxpool ic4 ih6 kh2");
  expect_count(model::count_macs(pool, pool.layers[0]), 0, 0);
}

TEST(MacCount, OfConvolutionsInReals) {
  const auto of = [](const model::Shape& map, const model::Shape& weights, std::int64_t groups) {
    return real_count([&](OnnxBuilder& b) {
      OnnxBuilder::set(b.node("Conv", {b.input("x", map), quarter_zero(b, "w", weights)}, "y"), "group", groups);
    });
  };
  expect_count(of({1, 8, 6, 5}, {4, 8, 3, 3}, 1), 4 * 4 * 3 * 8 * 9, 4 * 4 * 3 * 8 * 9 / 4 * 3);
  expect_count(of({1, 8, 6, 5}, {8, 2, 1, 2}, 4), 8 * 6 * 4 * 2 * 2, 8 * 6 * 4 * 2 * 2 / 4 * 3);
  expect_count(of({1, 4, 3, 4, 5}, {2, 4, 2, 2, 2}, 1), 2 * 2 * 3 * 4 * 4 * 8, 2 * 2 * 3 * 4 * 4 * 8 / 4 * 3);
  expect_count(real_count([](OnnxBuilder& b) {
                 b.node("Conv", {b.input("x", {1, 2, 4, 4}), b.input("w", {3, 2, 3, 3})}, "y");
               }),
               3 * 2 * 2 * 2 * 9, 3 * 2 * 2 * 2 * 9);
}

/// Every input meets the weights of its channel once.
TEST(MacCount, OfTransposedConvolutions) {
  const auto of = [](std::int64_t stride) {
    return real_count([&](OnnxBuilder& b) {
      OnnxBuilder::set(b.node("ConvTranspose", {b.input("x", {1, 8, 5, 6}), quarter_zero(b, "w", {8, 3, 2, 2})}, "y"),
                       "strides", {stride, stride});
    });
  };
  for (const std::int64_t stride : {1, 2}) expect_count(of(stride), 8 * 5 * 6 * 3 * 4, 8 * 5 * 6 * 3 * 4 / 4 * 3);
  // Taps that do not overlap: each output is a sum over the channels.
  EXPECT_EQ(of(2).all, (3 * 10 * 12) * 8);
}

TEST(MacCount, OfProductsInReals) {
  expect_count(real_count([](OnnxBuilder& b) {
                 b.node("MatMul", {b.input("x", {1, 2, 5, 7}), b.input("z", {1, 2, 7, 3})}, "y");
               }),
               2 * 5 * 3 * 7, 2 * 5 * 3 * 7);
  expect_count(real_count([](OnnxBuilder& b) {
                 b.node("MatMul", {b.input("x", {6, 8}), quarter_zero(b, "w", {8, 4})}, "y");
               }),
               6 * 4 * 8, 6 * 4 * 6);
  expect_count(real_count([](OnnxBuilder& b) {
                 b.node("MatMul", {quarter_zero(b, "w", {4, 8}), b.input("x", {2, 8, 5})}, "y");
               }),
               2 * 4 * 5 * 8, 2 * 4 * 5 * 6);
  expect_count(
      real_count([](OnnxBuilder& b) {
        OnnxBuilder::set(b.node("Gemm", {b.input("x", {8, 6}), quarter_zero(b, "w", {8, 4})}, "y"), "transA", 1);
      }),
      6 * 4 * 8, 6 * 4 * 6);
  expect_count(real_count([](OnnxBuilder& b) {
                 OnnxBuilder::set(b.node("Gemm", {b.input("x", {6, 8}), b.input("z", {4, 8})}, "y"), "transB", 1);
               }),
               6 * 4 * 8, 6 * 4 * 8);
}

TEST(MacCount, OtherOperatorsHaveNone) {
  expect_count(real_count([](OnnxBuilder& b) { b.node("Sigmoid", {b.input("x", {1, 4, 3, 3})}, "y"); }), 0, 0);
  expect_count(real_count([](OnnxBuilder& b) {
                 b.node("Mul", {b.input("x", {1, 4, 3, 3}), b.input("z", {1, 4, 3, 3})}, "y");
               }),
               0, 0);
}

}  // namespace
}  // namespace espalier::test

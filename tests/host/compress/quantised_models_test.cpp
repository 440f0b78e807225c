// Properties: QDQ and QLinear models give the same network; their results are within one step of the ONNX formula at
// every layer; uint8 tensors become int8; asymmetric weights are split exactly; unquantised results and scales that do
// not fit are refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "compress/quantise.hpp"
#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "model/onnx_import.hpp"
#include "model/rewrites.hpp"
#include "onnx_builder.hpp"

namespace espalier::compress {
namespace {

using test::OnnxBuilder;
using test::Random;

model::Array random_bytes(const model::Shape& shape, Random& random, bool is_signed) {
  const auto count = static_cast<std::size_t>(model::count_elements(shape, "test"));
  std::vector<std::int8_t> bytes(count);
  for (auto& value : bytes) value = random.byte();
  if (is_signed) return {shape, bytes};
  return {shape, std::vector<std::uint8_t>(bytes.begin(), bytes.end())};
}

/// One QLinearConv; activations uint8, weights int8 per channel or uint8 with a zero point.
OnnxBuilder qlinear_conv(Random& random, int weight_zero, bool is_signed) {
  OnnxBuilder b;
  b.input("x", {1, 3, 6, 6}, onnx::TensorProto::UINT8);
  b.scalar("xs", 0.02F);
  b.unsigned_zero("xz", 120);
  b.constant("w", random_bytes({4, 3, 3, 3}, random, is_signed));
  if (is_signed) {
    b.floats("ws", {4}, {0.011F, 0.02F, 0.013F, 0.009F});
    b.constant("wz", {{4}, std::vector<std::int8_t>(4, 0)});
  } else {
    b.scalar("ws", 0.01F);
    b.unsigned_zero("wz", weight_zero);
  }
  b.scalar("ys", 0.15F);
  b.unsigned_zero("yz", 131);
  b.constant("b", {{4}, std::vector<std::int32_t>{100, -200, 300, 0}});
  OnnxBuilder::set(b.node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"}, "y"), "pads",
                   {1, 1, 1, 1});
  b.output("y", onnx::TensorProto::UINT8);
  return b;
}

/// The float32 execution of the expanded graph: DequantizeLinear, operator, QuantizeLinear.
cpu::FloatTensor by_formula(const model::Graph& graph, const cpu::FloatTensor& input) {
  model::Graph expanded = graph;
  model::expand_qlinear(expanded);
  return cpu::FloatExecutor(expanded).run(
      std::vector<cpu::FloatTensor>{input})[static_cast<std::size_t>(expanded.outputs[0].value)];
}

void expect_within_one(const OnnxBuilder& b, Random& random, int low, int high) {
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  const Quantised q = lower_quantised(graph);
  cpu::FloatTensor input(static_cast<std::size_t>(model::count_elements(graph.inputs[0].shape, "x")));
  for (float& value : input) value = static_cast<float>(random.between(low, high));
  const cpu::FloatTensor expected = by_formula(graph, input);
  const auto features = cpu::run(q.network, std::vector<cpu::Tensor>{to_int8(q.inputs[0], input)});
  const auto actual = to_real(q.outputs[0], features[static_cast<std::size_t>(q.network.outputs[0])]);
  ASSERT_EQ(expected.size(), actual.size());
  int different = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(std::abs(expected[i] - actual[i]), 1) << i;
    different += expected[i] != actual[i] ? 1 : 0;
  }
  EXPECT_LE(different * 50, static_cast<int>(actual.size()));
}

TEST(QuantisedModels, QLinearConvFollowsTheOnnxFormula) {
  Random random;
  expect_within_one(qlinear_conv(random, 0, true), random, 0, 255);
  expect_within_one(qlinear_conv(random, 128, false), random, 0, 255);
}

TEST(QuantisedModels, QLinearConcatHasTheTypeOfItsZeroPoint) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4}, onnx::TensorProto::UINT8);
  b.scalar("xs", 0.02F);
  b.unsigned_zero("xz", 120);
  b.scalar("ys", 0.03F);
  b.unsigned_zero("yz", 100);
  auto& node = b.node("QLinearConcat", {"ys", "yz", "x", "xs", "xz", "x", "xs", "xz"}, "y", "com.microsoft");
  OnnxBuilder::set(node, "axis", 1);
  b.output("y", onnx::TensorProto::UINT8);
  expect_within_one(b, random, 0, 255);
}

TEST(QuantisedModels, RefuseScalesAndZeroPointsThatDoNotFit) {
  Random random;
  const auto refused = [&](const std::string& name, const model::Array& array) {
    OnnxBuilder b = qlinear_conv(random, 100, false);
    for (auto& tensor : *b.model.mutable_graph()->mutable_initializer())
      if (tensor.name() == name) tensor = model::write_tensor(array, name);
    EXPECT_THROW(lower_quantised(model::import_onnx_bytes(b.bytes())), Error) << name;
  };
  refused("ws", {{0}, std::vector<float>{}});
  refused("ws", {{3}, std::vector<float>(3, 0.01F)});
  refused("xs", {{}, std::vector<float>{-1.0F}});
  refused("yz", {{0}, std::vector<std::uint8_t>{}});
  refused("wz", {{}, std::vector<std::int8_t>{0}});
}

TEST(QuantisedModels, AsymmetricWeightsAreSplitExactly) {
  Random random;
  for (const int zero : {0, 3, 100, 255}) {
    const OnnxBuilder b = qlinear_conv(random, zero, false);
    EXPECT_EQ(lower_quantised(model::import_onnx_bytes(b.bytes())).network.layers.front().op, "Concat");
    expect_within_one(b, random, 0, 255);
  }
}

/// One depthwise QLinearConv with uint8 weights.
OnnxBuilder depthwise_conv(Random& random, int weight_zero, std::int64_t groups) {
  OnnxBuilder b = qlinear_conv(random, weight_zero, false);
  for (auto& tensor : *b.model.mutable_graph()->mutable_initializer()) {
    if (tensor.name() == "w") tensor = model::write_tensor(random_bytes({6, 6 / groups, 3, 3}, random, false), "w");
    if (tensor.name() == "b") tensor = model::write_tensor({{6}, std::vector<std::int32_t>(6, 50)}, "b");
  }
  b.model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_value(6);
  OnnxBuilder::set(*b.model.mutable_graph()->mutable_node(0), "group", groups);
  return b;
}

/// The sums of products in integers, directly from the file: the network must hold the same.
TEST(QuantisedModels, AsymmetricWeightsOfGroupsAreSplitExactly) {
  Random random;
  for (const std::int64_t groups : {std::int64_t{6}, std::int64_t{2}})
    for (const int zero : {0, 100, 255}) {
      const OnnxBuilder b = depthwise_conv(random, zero, groups);
      const model::Graph graph = model::import_onnx_bytes(b.bytes());
      const Quantised q = lower_quantised(graph);
      ASSERT_EQ(q.network.layers.size(), 2U);
      const auto given = graph.value(graph.nodes[0].inputs[3]).constant->as_integers();
      const model::Layer& layer = q.network.layers[1];
      // Copies of a channel stand behind one another; their weights add up to the weight minus its zero point.
      const std::size_t copies = layer.weights.size() / given.size();
      for (std::size_t i = 0; i < given.size(); ++i) {
        std::int64_t sum = 0;
        for (std::size_t copy = 0; copy < copies; ++copy) sum += layer.weights[(i / 9 * copies + copy) * 9 + i % 9];
        EXPECT_EQ(sum, given[i] - zero);
      }
      expect_within_one(b, random, 0, 255);
    }
}

/// Quantize, dequantize: returns the real value after both.
std::string qdq(OnnxBuilder& b, const std::string& value, float scale, int zero) {
  b.scalar(value + ".s", scale);
  b.zero(value + ".z", zero);
  b.node("QuantizeLinear", {value, value + ".s", value + ".z"}, value + ".q");
  b.node("DequantizeLinear", {value + ".q", value + ".s", value + ".z"}, value + ".dq");
  return value + ".dq";
}

OnnxBuilder qdq_network(Random& random, bool quantise_sum) {
  OnnxBuilder b;
  b.input("x", {1, 4, 8, 8});
  const auto x = qdq(b, "x", 0.03F, 5);
  b.constant("w", random_bytes({4, 4, 3, 3}, random, true));
  b.floats("w.s", {4}, {0.004F, 0.005F, 0.006F, 0.007F});
  OnnxBuilder::set(b.node("DequantizeLinear", {"w", "w.s"}, "w.dq"), "axis", 0);
  b.floats("bias", {4}, {0.1F, -0.1F, 0.2F, 0.0F});
  OnnxBuilder::set(b.node("Conv", {x, "w.dq", "bias"}, "conv"), "pads", {1, 1, 1, 1});
  b.node("Relu", {"conv"}, "relu");
  const auto relu = qdq(b, "relu", 0.08F, -128);
  b.node("Add", {relu, x}, "sum");
  const auto sum = quantise_sum ? qdq(b, "sum", 0.09F, -20) : "sum";
  auto& pool = b.node("MaxPool", {sum}, "pool");
  OnnxBuilder::set(pool, "kernel_shape", {2, 2});
  OnnxBuilder::set(pool, "strides", {2, 2});
  const auto pooled = qdq(b, "pool", 0.1F, 3);
  b.node("GlobalAveragePool", {pooled}, "mean");
  const auto mean = qdq(b, "mean", 0.05F, -7);
  b.node("Flatten", {mean}, "flat");
  b.constant("f", random_bytes({4, 6}, random, true));
  b.scalar("f.s", 0.01F);
  b.node("DequantizeLinear", {"f", "f.s"}, "f.dq");
  b.node("MatMul", {"flat", "f.dq"}, "product");
  b.node("Softmax", {qdq(b, "product", 0.05F, 0)}, "y");
  b.output("y");
  return b;
}

/// An integer product between a quantisation of x and factors, as exporters write it.
OnnxBuilder integer_product(Random& random, bool is_convolution, bool dynamic) {
  OnnxBuilder b;
  b.input("x", is_convolution ? model::Shape{1, 3, 6, 6} : model::Shape{1, 8});
  const model::Shape weights = is_convolution ? model::Shape{4, 3, 3, 3} : model::Shape{8, 4};
  b.constant("w", random_bytes(weights, random, false));
  b.unsigned_zero("wz", 131);
  b.floats("ws", is_convolution ? model::Shape{4, 1, 1} : model::Shape{4}, {0.01F, 0.02F, 0.015F, 0.005F});
  b.scalar("xs", 0.05F);
  b.unsigned_zero("xz", 120);
  if (dynamic) {
    auto& node = b.node("DynamicQuantizeLinear", {"x"}, "q");
    node.add_output("qs");
    node.add_output("qz");
    b.node("Mul", {"qs", "ws"}, "factor");
  } else {
    b.node("QuantizeLinear", {"x", "xs", "xz"}, "q");
    b.floats("factor", is_convolution ? model::Shape{1, 4, 1, 1} : model::Shape{4},
             {0.01F * 0.05F, 0.02F * 0.05F, 0.015F * 0.05F, 0.005F * 0.05F});
  }
  const std::string zero = dynamic ? "qz" : "xz";
  b.node(is_convolution ? "ConvInteger" : "MatMulInteger", {"q", "w", zero, "wz"}, "i");
  OnnxBuilder::set(b.node("Cast", {"i"}, "f"), "to", 1);
  b.node("Mul", {"f", "factor"}, "y");
  if (!dynamic) qdq(b, "y", 0.2F, 10);
  b.output(dynamic ? "y" : "y.dq");
  return b;
}

/// The largest sum of the weights of an output of integer_product(), without signs.
float weight_sum(const model::Graph& graph) {
  constexpr std::array Scales{0.01F, 0.02F, 0.015F, 0.005F};
  std::array<float, Scales.size()> sums{};
  for (const model::Node& node : graph.nodes) {
    if (!node.op.ends_with("Integer")) continue;
    const std::vector<std::int64_t> weights = graph.value(node.inputs[1]).constant->as_integers();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::size_t output = node.op == "ConvInteger" ? i / (weights.size() / sums.size()) : i % sums.size();
      sums[output] += static_cast<float>(std::abs(weights[i] - 131)) * Scales[output];
    }
  }
  return *std::max_element(sums.begin(), sums.end());
}

TEST(QuantisedModels, IntegerProductsKeepTheirWeights) {
  for (const bool is_convolution : {true, false})
    for (const bool dynamic : {true, false}) {
      SCOPED_TRACE(std::to_string(is_convolution) + std::to_string(dynamic));
      Random random;
      const OnnxBuilder b = integer_product(random, is_convolution, dynamic);
      const model::Graph graph = model::import_onnx_bytes(b.bytes());
      EXPECT_EQ(model::is_dynamic(graph), dynamic);
      EXPECT_EQ(model::is_quantised(graph), !dynamic);
      cpu::FloatTensor input(static_cast<std::size_t>(model::count_elements(graph.inputs[0].shape, "x")));
      for (float& value : input) value = static_cast<float>(random.unit() * 8 - 4);
      const model::Graph simple = model::simplify(graph);
      const auto expected = cpu::FloatExecutor(simple).run(
          std::vector<cpu::FloatTensor>{input})[static_cast<std::size_t>(simple.outputs[0].value)];
      const Quantised q = dynamic ? quantise(graph, std::vector<Sample>{{input}}) : lower_quantised(graph);
      const auto features = cpu::run(q.network, std::vector<cpu::Tensor>{to_int8(q.inputs[0], input)});
      const auto actual = to_real(q.outputs[0], features[static_cast<std::size_t>(q.network.outputs[0])]);
      // The graph computes in float what is quantised here: half a step of every input, a step of the result.
      const float inputs = dynamic ? 0.51F * q.inputs[0].scale * weight_sum(graph) : 0.0F;
      const float step = q.outputs[0].scale;
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], inputs + 1.01F * step);
      // The integers of the file, not rounded anew.
      std::vector<std::int64_t> given;
      for (const model::Node& node : graph.nodes)
        if (node.op.ends_with("Integer")) given = graph.value(node.inputs[1]).constant->as_integers();
      std::int64_t sum = 0, kept = 0;
      for (const std::int64_t value : given) sum += value - 131;
      for (const model::Layer& layer : q.network.layers)
        if (layer.kind == model::LayerKind::Convolution) {
          kept = 0;
          for (const std::int8_t weight : layer.weights) kept += weight;
        }
      EXPECT_EQ(kept, sum);
    }
}

TEST(QuantisedModels, IntegerProductsWithoutScalesAreRefused) {
  Random random;
  OnnxBuilder b = integer_product(random, true, true);
  b.model.mutable_graph()->mutable_node(1)->set_input(0, "f");  // the scale is no longer that of the input
  EXPECT_THROW(model::simplify(model::import_onnx_bytes(b.bytes())), model::UnsupportedModel);
  OnnxBuilder c;
  c.input("x", {1, 8}, onnx::TensorProto::UINT8);
  c.constant("w", random_bytes({8, 4}, random, false));
  c.node("MatMulInteger", {"x", "w"}, "y");
  c.output("y");
  EXPECT_THROW(model::simplify(model::import_onnx_bytes(c.bytes())), model::UnsupportedModel);
}

TEST(QuantisedModels, QdqFollowsTheFloatExecutionOfTheSameNodes) {
  // Before the softmax at most two steps of 0.05 differ, in opposite directions; its slope is at most a quarter.
  constexpr float MostDifference = 0.25F * 2 * 2 * 0.05F;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Random random(i);
    const model::Graph graph = model::import_onnx_bytes(qdq_network(random, i % 2 == 0).bytes());
    const Quantised q = lower_quantised(graph);
    std::normal_distribution<float> normal;
    cpu::FloatTensor input(4 * 8 * 8);
    for (float& value : input) value = normal(random.engine());
    const auto values = cpu::FloatExecutor(graph).run(std::vector<cpu::FloatTensor>{input});
    const auto& expected = values[static_cast<std::size_t>(graph.outputs[0].value)];
    const auto features = cpu::run(q.network, std::vector<cpu::Tensor>{to_int8(q.inputs[0], input)});
    const auto actual = to_real(q.outputs[0], features[static_cast<std::size_t>(q.network.outputs[0])]);
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t k = 0; k < actual.size(); ++k) EXPECT_NEAR(expected[k], actual[k], MostDifference) << k;
  }
}

TEST(QuantisedModels, RefuseResultsWithoutQuantisation) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 4, 8, 8});
  const auto x = qdq(b, "x", 0.03F, 5);
  b.weights("w", {4, 4, 1, 1}, random);
  b.node("Conv", {x, "w"}, "conv");
  b.output("conv");
  try {
    lower_quantised(model::import_onnx_bytes(b.bytes()));
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("conv"), std::string::npos) << error.what();
  }
}

TEST(QuantisedModels, SurviveFlippedBytesThroughAllStages) {
  Random random;
  for (const std::string& bytes : {qdq_network(random, true).bytes(), qlinear_conv(random, 100, false).bytes()})
    for (int i = 0; i < 1500; ++i) {
      std::string damaged = bytes;
      const int flips = random.between(1, 3);
      for (int k = 0; k < flips; ++k)
        damaged[static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1))] =
            static_cast<char>(random.byte());
      try {
        lower_quantised(model::import_onnx_bytes(damaged));
      } catch (const Error&) {
      }
    }
}

}  // namespace
}  // namespace espalier::compress

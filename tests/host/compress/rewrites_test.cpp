// Properties: every rewrite leaves the results of a float network unchanged (to float32 rounding) and removes the
// operator it is for; what cannot be rewritten is refused by name.
#include "model/rewrites.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cpu/float_reference.hpp"
#include "esp_error.hpp"
#include "model/onnx_import.hpp"
#include "onnx_builder.hpp"

namespace espalier::compress {
namespace {

using model::Graph;
using test::OnnxBuilder;
using test::Random;

std::vector<cpu::FloatTensor> run(const Graph& graph, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<cpu::FloatTensor> inputs;
  for (const auto& port : graph.inputs) {
    cpu::FloatTensor tensor(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
    for (float& value : tensor) value = normal(engine);
    inputs.push_back(std::move(tensor));
  }
  const auto values = cpu::FloatExecutor(graph).run(inputs);
  std::vector<cpu::FloatTensor> outputs;
  for (const auto& port : graph.outputs) {
    const auto& value = values[static_cast<std::size_t>(port.value)];
    outputs.push_back(port.softmax_axis ? cpu::softmax(value, port.shape, static_cast<std::size_t>(*port.softmax_axis))
                                        : value);
  }
  return outputs;
}

int count(const Graph& graph, const std::string& op) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const auto& node) { return node.op == op; }));
}

/// The canonical graph, after checking that it computes the same.
Graph expect_same(const OnnxBuilder& b) {
  const Graph graph = model::import_onnx_bytes(b.bytes());
  Graph canonical = model::canonicalise(graph);
  const auto expected = run(graph, 7), actual = run(canonical, 7);
  EXPECT_EQ(expected.size(), actual.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(expected[k].size(), actual[k].size());
    for (std::size_t i = 0; i < std::min(expected[k].size(), actual[k].size()); ++i)
      EXPECT_NEAR(expected[k][i], actual[k][i], 1e-4F * (1 + std::abs(expected[k][i]))) << k << ' ' << i;
  }
  return canonical;
}

std::string conv(OnnxBuilder& b, const std::string& in, const std::string& out, std::int64_t from, std::int64_t to,
                 std::int64_t size, Random& random, bool padded = true) {
  b.weights(out + ".w", {to, from, size, size}, random);
  auto& node = b.node("Conv", {in, out + ".w"}, out);
  const std::int64_t pad = padded ? size / 2 : 0;
  OnnxBuilder::set(node, "pads", {pad, pad, pad, pad});
  return out;
}

std::string batch_norm(OnnxBuilder& b, const std::string& in, const std::string& out, std::int64_t channels,
                       Random& random) {
  for (const char* part : {".s", ".b", ".m", ".v"}) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < channels; ++i) values.push_back(0.5F + static_cast<float>(random.unit()));
    b.floats(out + part, {channels}, values);
  }
  b.node("BatchNormalization", {in, out + ".s", out + ".b", out + ".m", out + ".v"}, out);
  return out;
}

TEST(Rewrites, FoldBatchNormalizationIntoTheConvolution) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 3, 6, 6});
  b.node("Relu", {batch_norm(b, conv(b, "x", "c", 3, 5, 3, random), "n", 5, random)}, "y");
  b.output("y");
  const Graph graph = expect_same(b);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, "Conv");
  EXPECT_TRUE(graph.nodes[0].attributes.contains("clamp_low"));
}

TEST(Rewrites, KeepBatchNormalizationThatHasNoConvolutionBeforeIt) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 3, 6, 6});
  conv(b, batch_norm(b, "x", "n", 3, random), "y", 3, 4, 3, random);
  b.output("y");
  EXPECT_EQ(expect_same(b).nodes.size(), 2U);
}

TEST(Rewrites, DoNotFoldWhatIsReadTwice) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 3, 6, 6});
  conv(b, "x", "c", 3, 3, 3, random);
  b.node("Relu", {"c"}, "r");
  b.node("Add", {"r", "c"}, "y");
  b.output("y");
  EXPECT_EQ(count(expect_same(b), "Clip"), 1);
}

TEST(Rewrites, TurnArithmeticWithConstantsIntoConvolutions) {
  Random random;
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) {
    OnnxBuilder b;
    b.input("x", {1, 3, 6, 6});
    b.floats("k", {3, 1, 1}, {1.5F, -2.0F, 0.25F});
    b.node(op, {conv(b, "x", "c", 3, 3, 3, random), "k"}, "y");
    b.output("y");
    EXPECT_EQ(expect_same(b).nodes.size(), 1U) << op;
  }
  OnnxBuilder b;
  b.input("x", {1, 3, 6, 6});
  b.scalar("one", 1.0F);
  b.node("Sub", {"one", "x"}, "y");
  b.output("y");
  expect_same(b);
}

TEST(Rewrites, MakeAConvolutionOfFlattenAndGemm) {
  Random random;
  for (const bool transposed : {false, true}) {
    OnnxBuilder b;
    b.input("x", {1, 3, 4, 5});
    b.node("Flatten", {"x"}, "f");
    b.node("Dropout", {"f"}, "d");
    b.node("Relu", {"d"}, "r");
    transposed ? b.weights("w", {7, 60}, random) : b.weights("w", {60, 7}, random);
    b.weights("b", {7}, random);
    OnnxBuilder::set(b.node("Gemm", {"r", "w", "b"}, "g"), "transB", transposed ? 1 : 0);
    b.weights("w2", {7, 4}, random);
    b.node("MatMul", {"g", "w2"}, "m");
    b.weights("b2", {4}, random);
    b.node("Add", {"m", "b2"}, "a");
    b.node("Softmax", {"a"}, "y");
    b.output("y");
    const Graph graph = expect_same(b);
    EXPECT_EQ(graph.nodes.size(), 3U);
    EXPECT_EQ(count(graph, "Conv"), 2);
    EXPECT_EQ(graph.outputs[0].softmax_axis, 1);
  }
}

TEST(Rewrites, TakeTheMapOfAReshapedInput) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 72});
  b.constant("s", {{4}, std::vector<std::int64_t>{1, 2, 6, 6}});
  b.node("Reshape", {"x", "s"}, "map");
  b.node("GlobalAveragePool", {conv(b, "map", "c", 2, 4, 3, random)}, "g");
  b.constant("axes", {{2}, std::vector<std::int64_t>{2, 3}});
  b.node("Squeeze", {"g", "axes"}, "y");
  b.output("y");
  const Graph graph = expect_same(b);
  EXPECT_EQ(graph.inputs[0].shape, (model::Shape{1, 72}));
  EXPECT_EQ(graph.outputs[0].shape, (model::Shape{1, 4}));
}

TEST(Rewrites, TakeTheMeanOverTheMapAsAPool) {
  Random random;
  for (const int keep : {0, 1}) {
    OnnxBuilder b;
    b.input("x", {1, 4, 5, 6});
    auto& node = b.node("ReduceMean", {"x"}, "mean");
    OnnxBuilder::set(node, "axes", {-1, 2});
    OnnxBuilder::set(node, "keepdims", keep);
    b.node("Flatten", {"mean"}, "flat");
    b.weights("w", {4, 3}, random);
    b.node("Gemm", {"flat", "w"}, "y");
    b.output("y");
    EXPECT_EQ(count(expect_same(b), "GlobalAveragePool"), 1);
  }
}

TEST(Rewrites, FoldPadding) {
  Random random;
  for (const char* op : {"Conv", "AveragePool", "MaxPool"}) {
    OnnxBuilder b;
    b.input("x", {1, 2, 5, 5});
    b.constant("pads", {{8}, std::vector<std::int64_t>{0, 0, 1, 2, 0, 0, 0, 1}});
    b.node("Pad", {"x", "pads"}, "p");
    if (std::string(op) == "Conv") {
      conv(b, "p", "y", 2, 3, 3, random, false);
    } else {
      OnnxBuilder::set(b.node(op, {"p"}, "y"), "kernel_shape", {2, 2});
    }
    b.output("y");
    EXPECT_EQ(expect_same(b).nodes.size(), std::string(op) == "MaxPool" ? 2U : 1U) << op;
  }
}

TEST(Rewrites, MoveClampsBeforeConcatenations) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 2, 5, 5});
  OnnxBuilder::set(b.node("Concat", {conv(b, "x", "a", 2, 3, 3, random), conv(b, "x", "c", 2, 4, 1, random)}, "k"),
                   "axis", 1);
  b.node("Relu", {"k"}, "r");
  b.scalar("low", -1.0F);
  b.scalar("high", 0.5F);
  b.node("Clip", {"r", "low", "high"}, "y");
  b.output("y");
  const Graph graph = expect_same(b);
  EXPECT_EQ(count(graph, "Clip"), 0);
  EXPECT_EQ(graph.nodes.back().op, "Concat");
}

TEST(Rewrites, ResolveAutomaticPaddingAndCeiling) {
  Random random;
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    OnnxBuilder b;
    b.input("x", {1, 2, 7, 6});
    b.weights("w", {3, 2, 3, 2}, random);
    auto& node = b.node("Conv", {"x", "w"}, "y");
    OnnxBuilder::set(node, "strides", {2, 2});
    auto& attribute = *node.add_attribute();
    attribute.set_name("auto_pad");
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(mode);
    b.output("y");
    const Graph graph = expect_same(b);
    EXPECT_EQ(graph.outputs[0].shape[2], std::string(mode) == "VALID" ? 3 : 4);
    EXPECT_EQ(graph.outputs[0].shape[3], 3);
  }
  OnnxBuilder b;
  b.input("x", {1, 2, 6, 6});
  auto& node = b.node("MaxPool", {"x"}, "y");
  OnnxBuilder::set(node, "kernel_shape", {3, 3});
  OnnxBuilder::set(node, "strides", {2, 2});
  OnnxBuilder::set(node, "ceil_mode", 1);
  b.output("y");
  EXPECT_EQ(expect_same(b).outputs[0].shape, (model::Shape{1, 2, 3, 3}));
}

TEST(Rewrites, RefuseABatch) {
  OnnxBuilder b;
  b.input("x", {2, 4, 4, 4});
  b.node("Relu", {"x"}, "y");
  b.output("y");
  try {
    model::canonicalise(model::import_onnx_bytes(b.bytes()));
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported) << error.what();
    EXPECT_NE(std::string(error.what()).find("batch"), std::string::npos) << error.what();
  }
}

TEST(Rewrites, KeepWhatTheArrayCannotDoForTheCpu) {
  Random random;
  const auto kept = [](OnnxBuilder& b, const std::string& op, const std::string& reason) {
    b.output("y");
    const Graph graph = expect_same(b);
    const auto real =
        std::find_if(graph.nodes.begin(), graph.nodes.end(), [](const auto& n) { return n.op == "Real"; });
    ASSERT_NE(real, graph.nodes.end()) << op;
    EXPECT_EQ(real->text("source_op", ""), op);
    EXPECT_NE(real->text("refusal", "").find(reason), std::string::npos) << real->text("refusal", "");
  };
  const auto start = [] {
    OnnxBuilder b;
    b.input("x", {1, 4, 4, 4});
    return b;
  };
  OnnxBuilder b = start();
  b.node("Mul", {"x", "x"}, "y");
  kept(b, "Mul", "two activations");
  b = start();
  OnnxBuilder::set(b.node("Concat", {"x", "x"}, "y"), "axis", 2);
  kept(b, "Concat", "along the channels");
  b = start();
  b.node("Softmax", {"x"}, "s");
  b.node("Relu", {"s"}, "y");
  kept(b, "Softmax", "not supported here");
  b = start();
  OnnxBuilder::set(b.node("Transpose", {"x"}, "t"), "perm", {0, 2, 1, 3});
  b.node("Conv", {"t", b.weights("w", {3, 4, 1, 1}, random)}, "y");
  kept(b, "Transpose", "order of the axes");
  b = start();
  b.floats("k", {1, 1, 4, 4}, std::vector<float>(16, 1.0F));
  b.node("Add", {"x", "k"}, "y");
  kept(b, "Add", "per channel");
}

}  // namespace
}  // namespace espalier::compress

// Properties: every rewrite has a name of its own and a summary; each but the required ones can be switched off, and
// then what it is for stays in the graph; every step that simplifies leaves the results as they were.
#include "model/rewrite_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cpu/float_reference.hpp"
#include "model/onnx_import.hpp"
#include "model/rewrites.hpp"
#include "onnx_builder.hpp"

namespace espalier::model {
namespace {

using test::OnnxBuilder;
using test::Random;

std::vector<std::string> operators(const Graph& graph) {
  std::vector<std::string> result;
  for (const Node& node : graph.nodes) result.push_back(node.op);
  return result;
}

bool has(const Graph& graph, const std::string& op) {
  const auto all = operators(graph);
  return std::find(all.begin(), all.end(), op) != all.end();
}

std::vector<float> run(const Graph& graph, const std::vector<float>& input) {
  const auto values = cpu::FloatExecutor(graph).run(std::vector<cpu::FloatTensor>{input});
  return values[static_cast<std::size_t>(graph.outputs.at(0).value)];
}

std::vector<float> random_input(std::size_t count) {
  Random random(1);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.unit() * 12 - 6);
  return values;
}

/// Applies one step by name.
Graph apply(const std::string& name, Graph graph) {
  RefusalList refusals;
  for (const Rewrite& step : rewrites())
    if (step.name == name) step.apply(graph, refusals);
  EXPECT_TRUE(refusals.empty());
  return graph;
}

TEST(RewriteList, HasNamesThatAreItsOwn) {
  std::set<std::string_view> names;
  for (const Rewrite& step : rewrites()) {
    EXPECT_TRUE(names.insert(step.name).second) << step.name;
    EXPECT_FALSE(step.summary.empty()) << step.name;
  }
  EXPECT_GE(names.size(), 15U);
}

TEST(RewriteList, EachStepButTheRequiredOnesCanBeLeftOut) {
  for (const Rewrite& step : rewrites()) {
    const RewriteOptions without{{std::string(step.name)}};
    if (step.kind == RewriteKind::Required)
      EXPECT_THROW(check_rewrites(without), Error) << step.name;
    else
      EXPECT_NO_THROW(check_rewrites(without)) << step.name;
  }
  EXPECT_THROW(check_rewrites({{"no-such-step"}}), Error);
}

TEST(RewriteList, WhatIsLeftOutStaysInTheGraph) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 2, 5, 5});
  b.weights("w", {2, 2, 3, 3}, random);
  OnnxBuilder::set(b.node("Pad", {"x"}, "p"), "pads", {0, 0, 1, 1, 0, 0, 1, 1});
  b.node("Conv", {"p", "w"}, "c");
  b.floats("k", {1, 2, 1, 1}, {2, 3});
  b.node("Mul", {"c", "k"}, "m");
  b.node("Relu", {"m"}, "y");
  b.output("y");
  const Graph graph = import_onnx_bytes(b.bytes());
  const std::vector<float> input = random_input(50), expected = run(graph, input);
  const auto nodes = [&](const std::set<std::string>& without) {
    const Graph canonical = canonicalise(graph, {without});
    const std::vector<float> actual = run(canonical, input);
    EXPECT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-4F);
    return operators(canonical);
  };
  EXPECT_EQ(nodes({}), std::vector<std::string>{"Conv"});
  EXPECT_EQ(nodes({"fold-padding"}), (std::vector<std::string>{"Conv", "Conv"}));
  EXPECT_EQ(nodes({"fold-batch-norm"}), (std::vector<std::string>{"Conv", "Conv"}));
  EXPECT_EQ(nodes({"fold-clamps"}), (std::vector<std::string>{"Conv", "Clip"}));
  EXPECT_EQ(nodes({"fold-padding", "fold-batch-norm", "fold-clamps"}),
            (std::vector<std::string>{"Conv", "Conv", "Conv", "Clip"}));
}

TEST(RewriteList, FoldsConstants) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 2, 3, 3});
  b.weights("a", {2, 2, 1, 1}, random);
  b.floats("k", {2, 1, 1, 1}, {2, -3});
  b.node("Mul", {"a", "k"}, "w");
  b.floats("s", {2}, {-1, 4});
  b.node("Relu", {"s"}, "bias");
  b.node("Conv", {"x", "w", "bias"}, "y");
  b.output("y");
  const Graph graph = import_onnx_bytes(b.bytes());
  const Graph folded = apply("fold-constants", graph);
  EXPECT_EQ(operators(folded), std::vector<std::string>{"Conv"});
  const std::vector<float> input = random_input(18);
  EXPECT_EQ(run(graph, input), run(folded, input));
  EXPECT_NO_THROW(canonicalise(graph));
  EXPECT_THROW(canonicalise(graph, {{"fold-constants"}}), UnsupportedModel);
}

TEST(RewriteList, RemovesIdentitiesAndDeadCode) {
  OnnxBuilder b;
  b.input("x", {1, 4});
  b.node("Identity", {"x"}, "i");
  OnnxBuilder::set(b.node("Cast", {"i"}, "c"), "to", 1);
  b.node("Dropout", {"c"}, "d");
  b.node("Relu", {"d"}, "y");
  b.output("y");
  Graph graph = import_onnx_bytes(b.bytes());
  EXPECT_EQ(operators(apply("remove-identities", graph)), std::vector<std::string>{"Relu"});
  const int lost = graph.add_value("lost", ElementType::Float, Shape{1, 4});
  graph.nodes.push_back({"lost", "Relu", {graph.inputs[0].value}, {lost}, {}});
  EXPECT_EQ(operators(apply("remove-dead-code", graph)).size(), 4U);
}

/// x and constants, then the operators that `build` writes down to "y".
Graph elementwise(const std::function<void(OnnxBuilder&)>& build) {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 16});
  for (const auto& [name, value] : std::map<std::string, float>{
           {"three", 3}, {"six", 6}, {"sixth", 1.0F / 6}, {"half", 0.5F}, {"zero", 0}, {"one", 1}})
    b.scalar(name, value);
  build(b);
  b.output("y");
  return import_onnx_bytes(b.bytes());
}

float hard_sigmoid(float x) { return std::min(std::max(x / 6 + 0.5F, 0.0F), 1.0F); }

void expect_values(const Graph& graph, const std::function<float(float)>& function) {
  const std::vector<float> input = random_input(64), actual = run(graph, input);
  for (std::size_t i = 0; i < input.size(); ++i) EXPECT_NEAR(actual[i], function(input[i]), 1e-5F);
}

TEST(RewriteList, FindsHardSigmoid) {
  for (const Graph& graph : {elementwise([](auto& b) {
                               b.node("Add", {"x", "three"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Div", {"c", "six"}, "y");
                             }),
                             elementwise([](auto& b) {
                               b.node("Add", {"three", "x"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Mul", {"sixth", "c"}, "y");
                             }),
                             elementwise([](auto& b) {
                               b.node("Mul", {"x", "sixth"}, "a");
                               b.node("Add", {"a", "half"}, "c");
                               b.node("Clip", {"c", "zero", "one"}, "y");
                             })}) {
    expect_values(graph, hard_sigmoid);
    const Graph found = apply("hard-sigmoid", graph);
    ASSERT_EQ(operators(found), std::vector<std::string>{"HardSigmoid"});
    EXPECT_NEAR(found.nodes[0].real("alpha", 0), 1.0F / 6, 1e-7F);
    EXPECT_NEAR(found.nodes[0].real("beta", 0), 0.5F, 1e-7F);
    EXPECT_EQ(found.nodes[0].inputs, std::vector<int>{found.inputs[0].value});
  }
}

TEST(RewriteList, FindsHardSwish) {
  for (const Graph& graph : {elementwise([](auto& b) {
                               b.node("Add", {"x", "three"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Div", {"c", "six"}, "s");
                               b.node("Mul", {"x", "s"}, "y");
                             }),
                             elementwise([](auto& b) {
                               b.node("Add", {"x", "three"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Mul", {"c", "x"}, "p");
                               b.node("Mul", {"p", "sixth"}, "y");
                             })}) {
    expect_values(graph, [](float x) { return x * hard_sigmoid(x); });
    const Graph found = apply("hard-swish", apply("hard-sigmoid", graph));
    ASSERT_EQ(operators(found), std::vector<std::string>{"HardSwish"});
    EXPECT_EQ(found.nodes[0].inputs, std::vector<int>{found.inputs[0].value});
  }
}

TEST(RewriteList, LeavesAlmostHardSwishAlone) {
  for (const Graph& graph : {elementwise([](auto& b) {  // another shift
                               b.node("Add", {"x", "six"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Mul", {"c", "x"}, "p");
                               b.node("Mul", {"p", "sixth"}, "y");
                             }),
                             elementwise([](auto& b) {  // the clamp has another reader
                               b.node("Add", {"x", "three"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Mul", {"c", "x"}, "p");
                               b.node("Mul", {"p", "sixth"}, "q");
                               b.node("Add", {"q", "c"}, "y");
                             }),
                             elementwise([](auto& b) {  // another factor
                               b.node("Add", {"x", "three"}, "a");
                               b.node("Clip", {"a", "zero", "six"}, "c");
                               b.node("Mul", {"one", "c"}, "y");
                             })}) {
    const Graph found = apply("hard-swish", apply("hard-sigmoid", graph));
    EXPECT_EQ(operators(found), operators(graph));
  }
}

/// x times a gate that two products compute from the flattened mean of x.
OnnxBuilder gated_network(Random& random, bool matrices) {
  OnnxBuilder b;
  b.input("x", {1, 4, 3, 3});
  if (matrices) {
    b.constant("axes", {{2}, std::vector<std::int64_t>{2, 3}});
    auto& mean = b.node("ReduceMean", {"x"}, "mean");
    OnnxBuilder::set(mean, "axes", {2, 3});
    OnnxBuilder::set(mean, "keepdims", 0);
    b.weights("w", {4, 2}, random);
    b.node("MatMul", {"mean", "w"}, "product");
    b.floats("b", {2}, {0.5F, -0.25F});
    b.node("Add", {"product", "b"}, "squeezed");
  } else {
    b.node("GlobalAveragePool", {"x"}, "mean");
    b.node("Flatten", {"mean"}, "flat");
    b.weights("w", {2, 4}, random);
    b.floats("b", {2}, {0.5F, -0.25F});
    OnnxBuilder::set(b.node("Gemm", {"flat", "w", "b"}, "squeezed"), "transB", 1);
  }
  b.node("Relu", {"squeezed"}, "r");
  b.weights("v", {2, 4}, random, 3);
  b.node("Gemm", {"r", "v"}, "excited");
  b.scalar("low", 0);
  b.scalar("high", 1);
  b.node("Clip", {"excited", "low", "high"}, "clipped");
  b.constant("map", {{4}, std::vector<std::int64_t>{1, 4, 1, 1}});
  b.node("Reshape", {"clipped", "map"}, "gate");
  b.node("Mul", {"gate", "x"}, "y");
  b.output("y");
  return b;
}

TEST(RewriteList, KeepsGatesOnMaps) {
  for (const bool matrices : {false, true}) {
    Random random(matrices ? 1 : 0);
    const Graph graph = import_onnx_bytes(gated_network(random, matrices).bytes());
    const Graph found = apply("squeeze-excite", graph);
    for (const char* op : {"Flatten", "Reshape", "Gemm", "MatMul", "ReduceMean"}) EXPECT_FALSE(has(found, op)) << op;
    EXPECT_TRUE(has(found, "GlobalAveragePool"));
    const std::vector<float> input = random_input(36);
    const auto expected = run(graph, input), actual = run(found, input);
    ASSERT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(expected[i], actual[i], 1e-5F);
    for (const Node& node : found.nodes)
      for (const int output : node.outputs) EXPECT_EQ(found.value(output).shape.size(), 4U) << node.where();
  }
}

}  // namespace
}  // namespace espalier::model

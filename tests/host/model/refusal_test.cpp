// Properties: an import names every operator that is not executed at once, with node, operator and reason: unknown
// operators and domains, attributes, forms whose shapes cannot be inferred, and forms that no rewrite reaches;
// operators whose results nobody reads are not named; a single one keeps its own reason. Global pools of what is no
// map, and nodes that read more outputs than the operator gives results, are refused.
#include "model/refusal_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "cpu/float_reference.hpp"
#include "model/inference.hpp"
#include "model/onnx_import.hpp"
#include "model/rewrites.hpp"
#include "model/tflite_import.hpp"
#include "onnx_builder.hpp"
#include "tflite_writer.hpp"

namespace espalier::model {
namespace {

using test::OnnxBuilder;

/// "operator: reason" of every refusal, sorted.
template <typename Step>
std::vector<std::string> refusals_of(Step&& step) {
  std::vector<std::string> result;
  try {
    step();
  } catch (const UnsupportedModel& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    for (const Refusal& refusal : error.refusals()) {
      EXPECT_FALSE(refusal.node.empty() || refusal.where.empty() || refusal.action.empty());
      result.push_back(refusal.op + ": " + refusal.reason);
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

TEST(Refusals, OnnxNamesAllNodesAtOnce) {
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4});
  b.node("DFT", {"x"}, "e");
  b.node("Relu", {"e"}, "r");  // depends on what is refused, and is fine itself
  b.node("Fancy", {"r"}, "f", "my.domain");
  OnnxBuilder::set(b.node("Relu", {"x"}, "momentous"), "momentous", 1);
  b.node("Add", {"f", "momentous"}, "sum");
  OnnxBuilder::set(b.node("Pad", {"x"}, "p"), "pads", {0, 0, -1, 0, 0, 0, 0, 0});
  b.node("GRU", {"x"}, "dead");  // nobody reads it
  b.output("sum");
  b.output("p");
  const auto refused = refusals_of([&] { import_onnx_bytes(b.bytes()); });
  EXPECT_EQ(refused, (std::vector<std::string>{"DFT: the operator is not supported", "Pad: the padding is out of range",
                                               "Relu: the attribute is not supported",
                                               "my.domain::Fancy: the operator is not supported"}));
}

TEST(Refusals, OfOneNodeIsTheErrorItself) {
  OnnxBuilder b;
  b.input("x", {1, 4});
  b.node("DFT", {"x"}, "y");
  b.output("y");
  try {
    import_onnx_bytes(b.bytes());
    FAIL();
  } catch (const UnsupportedModel& error) {
    EXPECT_EQ(error.summary(), "the operator is not supported");
    EXPECT_EQ(error.where(), "node 'y_node' (DFT)");
    ASSERT_EQ(error.refusals().size(), 1U);
    EXPECT_EQ(error.within("a.onnx").where(), "a.onnx: node 'y_node' (DFT)");
  }
}

TEST(Refusals, UnusedResultsOfAnOperatorDoNotMatter) {
  OnnxBuilder b;
  b.input("x", {1, 4});
  b.node("Dropout", {"x"}, "y").add_output("mask");
  b.output("y");
  EXPECT_NO_THROW(import_onnx_bytes(b.bytes()));
  b.output("mask");
  EXPECT_EQ(refusals_of([&] { import_onnx_bytes(b.bytes()); }),
            std::vector<std::string>{"Dropout: only the first output of the operator is computed"});
}

TEST(Refusals, RewritesKeepNodesOfTheCpuWithTheirReasons) {
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4});
  b.input("z", {1, 2, 4, 4});
  b.node("Mul", {"x", "z"}, "product");
  b.node("Sigmoid", {"product"}, "gate");
  b.node("Sub", {"gate", "x"}, "difference");
  b.output("difference");
  const Graph graph = import_onnx_bytes(b.bytes());
  std::vector<std::string> kept;
  for (const Node& node : canonicalise(graph).nodes)
    if (node.op == "Real") kept.push_back(node.text("real_op", "") + ": " + node.text("refusal", ""));
  EXPECT_EQ(kept, (std::vector<std::string>{"Mul: only the sum of two activations is supported (Mul)",
                                            "Sigmoid: the operator is not supported here (Sigmoid)",
                                            "Sub: only the sum of two activations is supported (Sub)"}));
}

/// The error of a step as what, where, value and action.
template <typename Step>
std::vector<std::string> error_of(Step&& step) {
  try {
    step();
  } catch (const Error& error) {
    return {error.summary(), error.where(), error.value(), error.action()};
  }
  return {};
}

TEST(Refusals, GlobalPoolsNeedMaps) {
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    for (const Shape& shape : {Shape{3}, Shape{3, 4}}) {
      OnnxBuilder b;
      b.input("x", shape);
      b.node(op, {"x"}, "y");
      b.output("y");
      EXPECT_EQ(error_of([&] { import_onnx_bytes(b.bytes()); }),
                (std::vector<std::string>{"only maps are supported: batch, channels and directions",
                                          std::string("node 'y_node' (") + op + ")", to_string(shape) + " as input 0",
                                          "use tensors of batch x channels x directions"}));
    }
}

TEST(Refusals, NodesHaveNoMoreOutputsThanResults) {
  for (const char* op : {"Relu", "Tanh", "BatchNormalization"}) {
    OnnxBuilder b;
    b.input("x", {1, 2, 4, 4});
    std::vector<std::string> inputs{"x"};
    if (std::string(op) == "BatchNormalization")
      for (const char* name : {"a", "b", "c", "d"}) inputs.push_back(b.floats(name, {2}, {1, 1}));
    b.node(op, inputs, "y");
    b.output("y");
    Graph graph = import_onnx_bytes(b.bytes());
    graph.nodes[0].outputs.push_back(graph.add_value("more"));
    const std::vector<cpu::FloatTensor> samples{cpu::FloatTensor(32)};
    const auto refused = error_of([&] { cpu::FloatExecutor(graph).run(samples); });
    ASSERT_EQ(refused.size(), 4U) << op;
    EXPECT_EQ(refused[1], std::string("node 'y_node' (") + op + ")");
    EXPECT_EQ(error_of([&] { infer(graph); }).size(), 4U) << op;
  }
}

TEST(Refusals, TfliteNamesAllOperatorsAtOnce) {
  test::TfliteWriter w;
  std::vector<int> tensors;
  for (const char* name : {"input", "a", "b", "c", "d"})
    tensors.push_back(w.tensor(name, {1, 4}, test::tflite::TensorType_Float32));
  w.node(103, {tensors[0]}, tensors[1]);
  w.node(25, {tensors[1]}, tensors[2], test::tflite::BuiltinOptions_SoftmaxOptions,
         test::tflite::CreateSoftmaxOptions(w.builder, 2.0F).Union());
  w.node(16, {tensors[2]}, tensors[3]);
  w.node(103, {tensors[3]}, tensors[4]);
  const std::string bytes = w.bytes({tensors[0]}, {tensors[4]});
  EXPECT_EQ(refusals_of([&] { import_tflite_bytes(bytes); }),
            (std::vector<std::string>{
                "LSTM: the operator is not supported", "SOFTMAX: a Softmax with a factor is not supported",
                "UNIQUE: the operator is not supported", "UNIQUE: the operator is not supported"}));
}

}  // namespace
}  // namespace espalier::model

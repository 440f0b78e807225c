// Properties: a pair of Caffe2 files becomes a graph with the operators of ONNX whose float32 execution gives numbers
// computed by hand; blobs may be written several times; inputs take their shape from the options or from init_net; all
// unsupported operators are named at once; damaged files are refused.
#include "model/caffe2_import.hpp"

#include <gtest/gtest.h>

#include "caffe2_builder.hpp"
#include "cpu/float_reference.hpp"
#include "model/refusal_list.hpp"
#include "model/rewrites.hpp"
#include "random.hpp"

namespace espalier::model {
namespace {

using test::Caffe2Builder;
using test::Caffe2Files;

Graph import(const Caffe2Builder& b, const Shape& shape) {
  const Caffe2Files files = b.files();
  return import_caffe2_bytes(files.predict, files.init, {.shapes = {{"x", shape}}});
}

std::vector<float> run(const Graph& graph, std::vector<float> input) {
  const auto values = cpu::FloatExecutor(graph).run(std::vector<cpu::FloatTensor>{std::move(input)});
  return values[static_cast<std::size_t>(graph.outputs.at(0).value)];
}

/// A network of one operator on x; `change` sets its arguments.
template <typename Change>
std::vector<float> run_one(const std::string& type, const Shape& shape, std::vector<float> input, Change&& change) {
  Caffe2Builder b;
  b.input("x");
  change(b, b.node(type, {"x"}, {"y"}));
  b.output("y");
  return run(import(b, shape), std::move(input));
}

TEST(Caffe2Import, RunsTheOperatorsOfANetwork) {
  const auto nothing = [](Caffe2Builder&, Caffe2Builder::Operator&) {};
  EXPECT_EQ(run_one("Relu", {1, 3}, {-1, 0, 2}, nothing), (std::vector<float>{0, 0, 2}));
  EXPECT_EQ(run_one("Copy", {1, 2}, {4, 5}, nothing), (std::vector<float>{4, 5}));
  EXPECT_EQ(run_one("AveragePool", {1, 1, 2, 2}, {1, 2, 3, 6},
                    [](auto&, auto& node) { Caffe2Builder::set(node, "global_pooling", 1); }),
            std::vector<float>{3});
  EXPECT_EQ(run_one("AveragePool", {1, 1, 2, 2}, {2, 4, 6, 8},
                    [](auto&, auto& node) {
                      Caffe2Builder::set(node, "kernel", 2);
                      Caffe2Builder::set(node, "stride", 2);
                      Caffe2Builder::set(node, "pad", 1);
                    }),
            (std::vector<float>{2, 4, 6, 8}));  // the padding is not counted
  EXPECT_EQ(run_one("MaxPool", {1, 1, 1, 3}, {1, 5, 2},
                    [](auto&, auto& node) {
                      Caffe2Builder::set(node, "kernels", std::vector<std::int64_t>{1, 2});
                      Caffe2Builder::set(node, "stride_w", 2);
                      Caffe2Builder::set(node, "legacy_pad", 3);
                    }),
            (std::vector<float>{5, 2}));  // Caffe rounds up
  EXPECT_EQ(run_one("Conv", {1, 1, 2, 2}, {1, 2, 3, 4},
                    [](auto& b, auto& node) {
                      b.fill("w", {1, 1, 2, 2}, {1, 10, 100, 1000});
                      b.fill("b", {1}, {0.5F});
                      node.add_input("w");
                      node.add_input("b");
                      Caffe2Builder::set(node, "kernel", 2);
                      Caffe2Builder::set(node, "pad_r", 1);
                    }),
            (std::vector<float>{4321.5F, 402.5F}));
  EXPECT_EQ(run_one("FC", {1, 2, 1, 1}, {3, 4},
                    [](auto& b, auto& node) {
                      b.fill("w", {2, 2}, {1, 2, 10, 20});
                      b.fill("b", {2}, {100, 200});
                      node.add_input("w");
                      node.add_input("b");
                    }),
            (std::vector<float>{111, 310}));
  EXPECT_EQ(run_one("SpatialBN", {1, 2, 1, 1}, {3, 5},
                    [](auto& b, auto& node) {
                      for (const auto& [name, values] : std::map<std::string, std::vector<float>>{
                               {"1scale", {2, 4}}, {"2bias", {1, 0}}, {"3mean", {1, 1}}, {"4var", {4, 1}}}) {
                        b.fill(name, {2}, values);
                        node.add_input(name);
                      }
                      Caffe2Builder::set(node, "is_test", 1);
                      Caffe2Builder::argument(node, "epsilon").set_f(0);
                    }),
            (std::vector<float>{3, 16}));
  EXPECT_EQ(run_one("Sum", {1, 2}, {3, 4},
                    [](auto&, auto& node) {
                      node.add_input("x");
                      node.add_input("x");
                    }),
            (std::vector<float>{9, 12}));
  EXPECT_EQ(run_one("Concat", {1, 2}, {3, 4},
                    [](auto&, auto& node) {
                      node.add_input("x");
                      node.add_output("split_info");
                    }),
            (std::vector<float>{3, 4, 3, 4}));
  EXPECT_EQ(run_one("Mul", {1, 2, 1, 2}, {1, 2, 3, 4},
                    [](auto& b, auto& node) {
                      b.fill("k", {2}, {10, 100});
                      node.add_input("k");
                      Caffe2Builder::set(node, "broadcast", 1);
                      Caffe2Builder::set(node, "axis", 1);
                    }),
            (std::vector<float>{10, 20, 300, 400}));
  EXPECT_EQ(run_one("Softmax", {1, 2}, {5, 5}, nothing), (std::vector<float>{0.5F, 0.5F}));
  EXPECT_EQ(run_one("Dropout", {1, 2}, {5, 6},
                    [](auto&, auto& node) {
                      node.add_output("mask");
                      Caffe2Builder::set(node, "is_test", 1);
                    }),
            (std::vector<float>{5, 6}));
  EXPECT_EQ(run_one("Reshape", {1, 4}, {1, 2, 3, 4},
                    [](auto&, auto& node) {
                      Caffe2Builder::set(node, "shape", std::vector<std::int64_t>{1, -1, 2});
                      node.add_output("old_shape");
                    }),
            (std::vector<float>{1, 2, 3, 4}));
}

TEST(Caffe2Import, ReadsAWholeNetworkAsItWasWritten) {
  const Caffe2Files files = test::small_caffe2_network();
  const Graph graph = import_caffe2_bytes(files.predict, files.init);
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(graph.inputs[0].name, "data");
  EXPECT_EQ(graph.inputs[0].shape, (Shape{1, 2, 4, 4}));  // of the fill in init_net
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 3}));
  std::vector<std::string> operators;
  for (const Node& node : graph.nodes) operators.push_back(node.op);
  EXPECT_EQ(operators, (std::vector<std::string>{"Conv", "Relu", "MaxPool", "Flatten", "Gemm", "Softmax"}));
  EXPECT_NO_THROW(canonicalise(graph));
}

TEST(Caffe2Import, NamesAllUnsupportedOperatorsAtOnce) {
  Caffe2Builder b;
  b.input("x");
  b.node("LRN", {"x"}, {"a"});
  b.node("Relu", {"a"}, {"a"});
  Caffe2Builder::argument(b.node("MaxPool", {"a"}, {"c"}), "order").set_s("NHWC");
  b.node("Int8Conv", {"c"}, {"d"});
  b.output("d");
  try {
    import(b, {1, 2, 4, 4});
    FAIL();
  } catch (const UnsupportedModel& error) {
    ASSERT_EQ(error.refusals().size(), 3U);
    EXPECT_EQ(error.value(), "Int8Conv (1), LRN (1), MaxPool (1)");
  }
}

TEST(Caffe2Import, RefusesWhatContradictsItself) {
  const auto expect_error = [](ErrorCode code, const std::string& part, auto&& change) {
    Caffe2Builder b;
    b.input("x");
    b.fill("w", {1, 2}, {1, 2});
    b.fill("b", {1}, {0});
    b.node("FC", {"x", "w", "b"}, {"y"});
    b.output("y");
    change(b);
    try {
      import(b, {1, 2});
      ADD_FAILURE() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_error(ErrorCode::Model, "number of values",
               [](auto& b) { b.init.mutable_op(0)->mutable_arg(1)->add_floats(3); });
  expect_error(ErrorCode::Model, "too large",
               [](auto& b) { b.init.mutable_op(0)->mutable_arg(0)->set_ints(0, std::int64_t{1} << 40); });
  expect_error(ErrorCode::Model, "budget", [](auto& b) {
    auto& entry = *b.init.add_op();
    entry.set_type("ConstantFill");
    entry.add_output("huge");
    Caffe2Builder::set(entry, "shape", std::vector<std::int64_t>{1 << 30});
  });
  expect_error(ErrorCode::Model, "number of inputs", [](auto& b) { b.predict.mutable_op(0)->clear_input(); });
  expect_error(ErrorCode::Model, "nothing defines", [](auto& b) { b.predict.mutable_op(0)->set_input(1, "no"); });
  expect_error(ErrorCode::Model, "no outputs", [](auto& b) { b.predict.clear_external_output(); });
  expect_error(ErrorCode::Usage, "--shape", [](auto& b) {
    b.input("second");
    b.node("Sum", {"second"}, {"z"});
  });
  expect_error(ErrorCode::Usage, "no input", [](auto& b) { b.predict.clear_external_input(); });
  expect_error(ErrorCode::Model, "inner sizes", [](auto& b) {
    b.init.mutable_op(0)->mutable_arg(0)->set_ints(0, 2), b.init.mutable_op(0)->mutable_arg(0)->set_ints(1, 1);
  });
}

TEST(Caffe2Import, SurvivesEveryTruncationAndManyFlippedBytes) {
  const Caffe2Files files = test::small_caffe2_network();
  const auto attempt = [](const std::string& predict, const std::string& init) {
    try {
      canonicalise(import_caffe2_bytes(predict, init, {.most_bytes = 1 << 24, .shapes = {}}));
    } catch (const Error&) {
    }
  };
  for (std::size_t size = 0; size < files.predict.size(); ++size) attempt(files.predict.substr(0, size), files.init);
  for (std::size_t size = 0; size < files.init.size(); ++size) attempt(files.predict, files.init.substr(0, size));
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    Caffe2Files damaged = files;
    std::string& bytes = random.chance(0.5) ? damaged.predict : damaged.init;
    for (int flips = random.between(1, 4); flips > 0; --flips)
      bytes[static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1))] =
          static_cast<char>(random.byte());
    attempt(damaged.predict, damaged.init);
  }
}

}  // namespace
}  // namespace espalier::model

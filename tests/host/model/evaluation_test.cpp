// Properties of the constants that exporters compute: moves and arithmetic of small arrays give what ONNX says, with
// attributes and with inputs, and contradictions are named; the chains of common exporters end in constants.
#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "model/evaluation_lists.hpp"
#include "model/evaluation_moves.hpp"
#include "model/onnx_import.hpp"
#include "onnx_builder.hpp"

namespace espalier::test {
namespace {

using model::Array;
using model::Node;
using model::Shape;
using Integers = std::vector<std::int64_t>;

Node node(const std::string& op, const std::map<std::string, model::Attribute>& attributes = {}) {
  Node node;
  node.op = op;
  node.name = "n";
  for (const auto& [key, value] : attributes) node.attributes.emplace(key, value);
  return node;
}

Array list(const Integers& values) { return {{static_cast<std::int64_t>(values.size())}, values}; }

Array counted(const Shape& shape) {
  Integers values;
  for (std::int64_t i = 0; i < model::count_elements(shape, "test"); ++i) values.push_back(i);
  return {shape, values};
}

std::optional<Array> moved(const Node& node, const std::vector<Array>& inputs) {
  std::vector<const Array*> pointers;
  for (const Array& input : inputs) pointers.push_back(&input);
  return model::evaluate_move(node, pointers);
}

std::optional<Array> computed(const Node& node, const std::vector<Array>& inputs) {
  std::vector<const Array*> pointers;
  for (const Array& input : inputs) pointers.push_back(&input);
  return model::evaluate_list(node, pointers);
}

TEST(Evaluation, SlicesWithAttributesAndInputs) {
  const Array data = counted({3, 4});
  EXPECT_EQ(moved(node("Slice", {{"starts", Integers{1}}, {"ends", Integers{3}}, {"axes", Integers{1}}}), {data}),
            (Array{{3, 2}, Integers{1, 2, 5, 6, 9, 10}}));
  EXPECT_EQ(moved(node("Slice"), {data, list({-1, 0}), list({-4, 4}), list({0, 1}), list({-1, 3})}),
            (Array{{3, 2}, Integers{8, 11, 4, 7, 0, 3}}));
  EXPECT_EQ(moved(node("Slice"), {counted({5}), list({-1}), list({INT64_MIN}), list({0}), list({-2})}),
            (Array{{3}, Integers{4, 2, 0}}));
  EXPECT_EQ(moved(node("Slice"), {counted({5}), list({1}), list({INT64_MAX})}), (Array{{4}, Integers{1, 2, 3, 4}}));
  EXPECT_EQ(moved(node("Slice"), {counted({5}), list({0}), list({5}), list({0}), list({INT64_MAX})}),
            (Array{{1}, Integers{0}}));
  EXPECT_THROW(moved(node("Slice"), {counted({5}), list({3}), list({3})}), Error);
  EXPECT_THROW(moved(node("Slice"), {counted({5}), list({0}), list({3}), list({1})}), Error);
  EXPECT_THROW(moved(node("Slice"), {counted({5}), list({0}), list({3}), list({0}), list({0})}), Error);
  EXPECT_THROW(moved(node("Slice"), {counted({5}), list({0}), list({3, 4})}), Error);
}

TEST(Evaluation, SliceOfEverySectionOfAList) {
  constexpr std::int64_t Size = 5;
  for (std::int64_t start = -7; start <= 7; ++start) {
    for (std::int64_t end = -7; end <= 7; ++end) {
      for (const std::int64_t step : {-3, -2, -1, 1, 2, 3}) {
        // ONNX: negative places count from the end; then they are clamped to 0..size, or -1..size-1 backwards.
        const auto place = [&](std::int64_t index) {
          if (index < 0) index += Size;
          return step > 0 ? std::clamp<std::int64_t>(index, 0, Size) : std::clamp<std::int64_t>(index, -1, Size - 1);
        };
        Integers expected;
        const std::int64_t first = step > 0 ? place(start) : std::max<std::int64_t>(place(start), 0);
        for (std::int64_t i = first; step > 0 ? i < place(end) : i > place(end); i += step) expected.push_back(i);
        const std::vector<Array> inputs{counted({Size}), list({start}), list({end}), list({0}), list({step})};
        if (expected.empty())
          EXPECT_THROW(moved(node("Slice"), inputs), Error) << start << ":" << end << ":" << step;
        else
          EXPECT_EQ(moved(node("Slice"), inputs), list(expected)) << start << ":" << end << ":" << step;
      }
    }
  }
}

TEST(Evaluation, GathersAndJoinsAlongAnyAxis) {
  const Array data = counted({2, 3});
  EXPECT_EQ(moved(node("Gather", {{"axis", std::int64_t{1}}}), {data, Array{{2, 1}, Integers{-1, 0}}}),
            (Array{{2, 2, 1}, Integers{2, 0, 5, 3}}));
  EXPECT_EQ(moved(node("Gather"), {counted({4}), Array{{}, Integers{2}}}), (Array{{}, Integers{2}}));
  EXPECT_THROW(moved(node("Gather"), {counted({4}), Array{{}, Integers{4}}}), Error);
  EXPECT_EQ(moved(node("Concat", {{"axis", std::int64_t{-1}}}), {data, Array{{2, 1}, Integers{7, 8}}}),
            (Array{{2, 4}, Integers{0, 1, 2, 7, 3, 4, 5, 8}}));
  EXPECT_EQ(moved(node("Concat", {{"axis", std::int64_t{0}}}), {data, counted({1, 3})}),
            (Array{{3, 3}, Integers{0, 1, 2, 3, 4, 5, 0, 1, 2}}));
  EXPECT_THROW(moved(node("Concat", {{"axis", std::int64_t{0}}}), {data, counted({1, 2})}), Error);
  EXPECT_THROW(moved(node("Concat", {{"axis", std::int64_t{0}}}), {data, Array{{1, 3}, std::vector<float>(3)}}), Error);
}

// The same value read twice is one array.
TEST(Evaluation, JoinsAListWithItself) {
  const Array twice = list({3, 4});
  EXPECT_EQ(model::evaluate_move(node("Concat", {{"axis", std::int64_t{0}}}), {&twice, &twice, &twice}),
            list({3, 4, 3, 4, 3, 4}));
}

TEST(Evaluation, ShapesChange) {
  const Array data = counted({2, 1, 3});
  EXPECT_EQ(moved(node("Reshape"), {data, list({0, -1})}), counted({2, 3}));
  EXPECT_THROW(moved(node("Reshape"), {data, list({4})}), Error);
  EXPECT_THROW(moved(node("Reshape"), {data, list({-1, -1})}), Error);
  EXPECT_EQ(moved(node("Squeeze"), {data}), counted({2, 3}));
  EXPECT_EQ(moved(node("Squeeze", {{"axes", Integers{-2}}}), {data}), counted({2, 3}));
  EXPECT_THROW(moved(node("Squeeze"), {data, list({0})}), Error);
  EXPECT_EQ(moved(node("Unsqueeze"), {list({5}), list({0, -1})}), (Array{{1, 1, 1}, Integers{5}}));
  EXPECT_EQ(moved(node("Unsqueeze", {{"axes", Integers{0}}}), {Array{{}, Integers{5}}}), list({5}));
  EXPECT_EQ(moved(node("Flatten"), {counted({2, 2, 2})}), counted({2, 4}));
  EXPECT_EQ(moved(node("Expand"), {Array{{2, 1}, Integers{3, 4}}, list({2, 2})}),
            (Array{{2, 2}, Integers{3, 3, 4, 4}}));
  EXPECT_THROW(moved(node("Expand"), {list({1, 2}), list({3})}), Error);
  EXPECT_EQ(moved(node("Tile"), {list({1, 2}), list({2})}), list({1, 2, 1, 2}));
  EXPECT_FALSE(moved(node("Tile"), {list({1, 2}), list({4096})}).has_value());
}

TEST(Evaluation, ComparesReducesAndDivides) {
  EXPECT_EQ(computed(node("Less"), {list({1, 5}), list({3, 3})}), (Array{{2}, std::vector<char>{1, 0}}));
  EXPECT_EQ(computed(node("GreaterOrEqual"), {list({3, 2}), Array{{}, Integers{3}}}),
            (Array{{2}, std::vector<char>{1, 0}}));
  EXPECT_EQ(computed(node("ReduceProd"), {list({2, 3, 4})}), list({24}));
  EXPECT_EQ(computed(node("ReduceMax", {{"keepdims", std::int64_t{0}}}), {list({2, 9, 4})}), (Array{{}, Integers{9}}));
  EXPECT_EQ(computed(node("Mod"), {list({-7, 7}), list({3, -3})}), list({2, -2}));
  EXPECT_EQ(computed(node("Mod", {{"fmod", std::int64_t{1}}}), {list({-7, 7}), list({3, -3})}), list({-1, 1}));
  EXPECT_THROW(computed(node("Mod"), {list({1}), list({0})}), Error);
  EXPECT_EQ(computed(node("Neg"), {list({4, -2})}), list({-4, 2}));
}

// The paddings of a dynamic export: pairs from the last axis to the first, as the list that Pad reads.
TEST(Evaluation, PaddingsThatAreTurnedAroundAreConstant) {
  OnnxBuilder b(11);
  b.input("x", {1, 2, 5, 6});
  b.constant("given", list({1, 2, 3, 0}));  // columns before and behind, rows before and behind
  b.constant("rest", list({4}));
  b.node("ConstantOfShape", {"rest"}, "none");
  auto& value = *b.model.mutable_graph()->mutable_node(0)->add_attribute();
  value.set_name("value");
  value.set_type(onnx::AttributeProto::TENSOR);
  *value.mutable_t() = model::write_tensor(list({0}), "zero");
  OnnxBuilder::set(b.node("Concat", {"given", "none"}, "all"), "axis", 0);
  b.constant("pairs", list({-1, 2}));
  b.node("Reshape", {"all", "pairs"}, "table");
  b.constant("from", list({-1}));
  b.constant("to", list({INT64_MIN}));
  b.constant("axis", list({0}));
  b.constant("step", list({-1}));
  b.node("Slice", {"table", "from", "to", "axis", "step"}, "turned");
  OnnxBuilder::set(b.node("Transpose", {"turned"}, "rows"), "perm", {1, 0});
  b.constant("flat", list({-1}));
  b.node("Reshape", {"rows", "flat"}, "pads");
  b.node("Pad", {"x", "pads"}, "y");
  b.output("y");
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 2, 8, 9}));
}

// Of PaddlePaddle: the batch is cut out of the shape before opset 10, as int32.
TEST(Evaluation, ShapesThatAreCutAndJoinedAreConstant) {
  OnnxBuilder b(9);
  b.input("x", {1, 3, 4, 4});
  b.node("Shape", {"x"}, "shape");
  OnnxBuilder::set(b.node("Cast", {"shape"}, "narrow"), "to", 6);
  auto& cut = b.node("Slice", {"narrow"}, "batch");
  OnnxBuilder::set(cut, "axes", {0});
  OnnxBuilder::set(cut, "starts", {0});
  OnnxBuilder::set(cut, "ends", {1});
  b.constant("rest", {{1}, std::vector<std::int32_t>{-1}});
  OnnxBuilder::set(b.node("Cast", {"batch"}, "wide"), "to", 7);
  OnnxBuilder::set(b.node("Cast", {"rest"}, "wide_rest"), "to", 7);
  OnnxBuilder::set(b.node("Concat", {"wide", "wide_rest"}, "target"), "axis", 0);
  b.node("Reshape", {"x", "target"}, "y");
  b.output("y");
  EXPECT_EQ(model::import_onnx_bytes(b.bytes()).outputs[0].shape, (Shape{1, 48}));
}

}  // namespace
}  // namespace espalier::test

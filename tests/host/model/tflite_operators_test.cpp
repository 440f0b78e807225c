// Properties: the activations and the resampling operators of TensorFlow Lite files become operators of ONNX with
// channels first, with the attributes and shapes that stand for the same arithmetic; contradictions are refused.
#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "model/tflite_import.hpp"
#include "tflite_writer.hpp"

namespace espalier::model {
namespace {

using test::TfliteWriter;
namespace format = test::tflite;

constexpr auto Float32 = format::TensorType_Float32;

int integers(TfliteWriter& w, const std::vector<std::int32_t>& values) {
  return w.constant("list", {{static_cast<std::int64_t>(values.size())}, values});
}

/// A map x, what `build` adds behind it, and the result of the given shape in the order of the file.
template <typename Build>
Graph import_one(const std::vector<int>& from, const std::vector<int>& to, Build&& build) {
  TfliteWriter w;
  const int x = w.tensor("x", from, Float32), y = w.tensor("y", to, Float32);
  build(w, x, y);
  return import_tflite_bytes(w.bytes({x}, {y}));
}

std::vector<std::int64_t> input_list(const Graph& graph, const Node& node, std::size_t input) {
  return graph.value(node.inputs.at(input)).constant->as_integers();
}

TEST(TfliteOperators, ActivationsAreThoseOfOnnx) {
  const auto operator_of = [](int code) {
    const Graph graph = import_one({1, 2, 3, 4}, {1, 2, 3, 4}, [&](auto& w, int x, int y) { w.node(code, {x}, y); });
    EXPECT_EQ(graph.outputs.at(0).shape, (Shape{1, 4, 2, 3}));
    return graph.nodes.at(0).op;
  };
  EXPECT_EQ(operator_of(14), "Sigmoid");
  EXPECT_EQ(operator_of(28), "Tanh");
  EXPECT_EQ(operator_of(101), "Abs");
  EXPECT_EQ(operator_of(117), "HardSwish");
  const Graph leaky = import_one({1, 3}, {1, 3}, [](auto& w, int x, int y) {
    w.node(98, {x}, y, format::BuiltinOptions_LeakyReluOptions,
           format::CreateLeakyReluOptions(w.builder, 0.25F).Union());
  });
  EXPECT_EQ(leaky.nodes.at(0).op, "LeakyRelu");
  EXPECT_FLOAT_EQ(leaky.nodes.at(0).real("alpha", 0), 0.25F);
  const Graph slope = import_one({1, 2, 2, 3}, {1, 2, 2, 3}, [](auto& w, int x, int y) {
    w.node(54, {x, w.constant("slope", {{1, 1, 3}, std::vector<float>{1, 2, 3}})}, y);
  });
  EXPECT_EQ(slope.nodes.at(0).op, "PRelu");
  EXPECT_EQ(slope.value(slope.nodes.at(0).inputs.at(1)).shape, (Shape{1, 3, 1, 1}));
}

TEST(TfliteOperators, ResizesHaveTheCoordinatesOfTheFile) {
  const auto node_of = [](bool nearest, bool corners, bool centres) {
    const Graph graph = import_one({1, 2, 3, 5}, {1, 4, 9, 5}, [&](auto& w, int x, int y) {
      if (nearest)
        w.node(97, {x, integers(w, {4, 9})}, y, format::BuiltinOptions_ResizeNearestNeighborOptions,
               format::CreateResizeNearestNeighborOptions(w.builder, corners, centres).Union());
      else
        w.node(23, {x, integers(w, {4, 9})}, y, format::BuiltinOptions_ResizeBilinearOptions,
               format::CreateResizeBilinearOptions(w.builder, corners, centres).Union());
    });
    EXPECT_EQ(input_list(graph, graph.nodes.at(0), 3), (Shape{1, 5, 4, 9}));
    return graph.nodes.at(0);
  };
  EXPECT_EQ(node_of(false, false, false).text("coordinate_transformation_mode", ""), "asymmetric");
  EXPECT_EQ(node_of(false, true, false).text("coordinate_transformation_mode", ""), "align_corners");
  EXPECT_EQ(node_of(false, false, true).text("coordinate_transformation_mode", ""), "half_pixel");
  EXPECT_EQ(node_of(false, false, false).text("mode", ""), "linear");
  EXPECT_EQ(node_of(true, false, false).text("nearest_mode", ""), "floor");
  EXPECT_EQ(node_of(true, false, true).text("nearest_mode", ""), "round_prefer_ceil");
}

TEST(TfliteOperators, SlicesCountTheAxesOfTheFile) {
  const Graph sliced = import_one({1, 4, 6, 3}, {1, 2, 6, 2}, [](auto& w, int x, int y) {
    w.node(65, {x, integers(w, {0, 1, 0, 1}), integers(w, {1, 2, -1, 2})}, y);
  });
  EXPECT_EQ(input_list(sliced, sliced.nodes.at(0), 3), (std::vector<std::int64_t>{0, 2, 3, 1}));
  EXPECT_EQ(input_list(sliced, sliced.nodes.at(0), 1), (std::vector<std::int64_t>{0, 1, 0, 1}));
  EXPECT_EQ(input_list(sliced, sliced.nodes.at(0), 2), (std::vector<std::int64_t>{1, 3, 6, 3}));
  const auto strided = [](const std::vector<int>& to, int begin_mask, int end_mask, int shrink_mask) {
    return import_one({1, 4, 6, 3}, to, [&](auto& w, int x, int y) {
      w.node(45, {x, integers(w, {0, 1, 0, 2}), integers(w, {1, 4, 6, 3}), integers(w, {1, 2, 3, 1})}, y,
             format::BuiltinOptions_StridedSliceOptions,
             format::CreateStridedSliceOptions(w.builder, begin_mask, end_mask, 0, 0, shrink_mask).Union());
    });
  };
  EXPECT_EQ(strided({1, 2, 2, 1}, 0, 0, 0).outputs.at(0).shape, (Shape{1, 1, 2, 2}));
  EXPECT_EQ(strided({1, 2, 2, 3}, 8, 8, 0).outputs.at(0).shape, (Shape{1, 3, 2, 2}));
  EXPECT_EQ(strided({1, 2, 2}, 0, 0, 8).outputs.at(0).shape, (Shape{1, 2, 2}));
  EXPECT_THROW(strided({1, 2, 2, 2}, 0, 0, 0), Error);  // another shape than the cut has
}

TEST(TfliteOperators, TransposedConvolutionsPadAsSameDoes) {
  const auto import = [](int stride, int size, int kernel) {
    return import_one({1, 3, 3, 2}, {1, size, size, 4}, [&](auto& w, int x, int y) {
      const std::int64_t k = kernel;
      const int weights = w.constant("w", {{4, k, k, 2}, std::vector<float>(static_cast<std::size_t>(8 * k * k), 1)});
      w.node(67, {integers(w, {1, size, size, 4}), weights, x}, y, format::BuiltinOptions_TransposeConvOptions,
             format::CreateTransposeConvOptions(w.builder, format::Padding_Same, stride, stride).Union());
    });
  };
  const Graph same = import(2, 6, 3);  // 7 rows, of which the last is cut
  EXPECT_EQ(same.nodes.at(0).op, "ConvTranspose");
  EXPECT_EQ(same.nodes.at(0).integers("pads", {}), (std::vector<std::int64_t>{0, 0, 1, 1}));
  EXPECT_EQ(same.value(same.nodes.at(0).inputs.at(1)).shape, (Shape{2, 4, 3, 3}));
  EXPECT_EQ(same.outputs.at(0).shape, (Shape{1, 4, 6, 6}));
  const Graph small = import(2, 6, 1);  // 5 rows and an empty one
  EXPECT_EQ(small.nodes.at(0).integers("output_padding", {}), (std::vector<std::int64_t>{1, 1}));
}

}  // namespace
}  // namespace espalier::model

// Properties: the activations and the resampling operators of TensorFlow Lite files become operators of ONNX with
// channels first, with the attributes and shapes that stand for the same arithmetic; contradictions are refused.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "cpu/float_reference.hpp"
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

/// The outputs of a network whose input holds 0, 1, 2 ... in the order of the file, in that order again.
std::vector<cpu::FloatTensor> run_counting(const Graph& graph) {
  const auto to_file = [](const Shape& shape, std::size_t index) {  // the place of a channels-first element
    if (shape.size() != 4) return index;
    const auto c = static_cast<std::size_t>(shape[1]), plane = static_cast<std::size_t>(shape[2] * shape[3]);
    return index % plane * c + index / plane;
  };
  const Shape& in = graph.inputs.at(0).shape;
  cpu::FloatTensor input(static_cast<std::size_t>(count_elements(in, "x")));
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(to_file(in, i));
  const auto values = cpu::FloatExecutor(graph).run(std::vector<cpu::FloatTensor>{input});
  std::vector<cpu::FloatTensor> outputs;
  for (const Port& port : graph.outputs) {
    const auto& value = values[static_cast<std::size_t>(port.value)];
    cpu::FloatTensor& output = outputs.emplace_back(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) output[to_file(port.shape, i)] = value[i];
  }
  return outputs;
}

TEST(TfliteOperators, BlocksBecomePixelsAsTheFileOrdersThem) {
  const Graph graph = import_one({1, 2, 3, 8}, {1, 4, 6, 2}, [](auto& w, int x, int y) {
    w.node(5, {x}, y, format::BuiltinOptions_DepthToSpaceOptions,
           format::CreateDepthToSpaceOptions(w.builder, 2).Union());
  });
  const cpu::FloatTensor output = run_counting(graph).at(0);
  for (std::size_t row = 0; row < 4; ++row)
    for (std::size_t column = 0; column < 6; ++column)
      for (std::size_t c = 0; c < 2; ++c)
        EXPECT_EQ(output[(row * 6 + column) * 2 + c],
                  static_cast<float>((row / 2 * 3 + column / 2) * 8 + (row % 2 * 2 + column % 2) * 2 + c));
  const Graph back = import_one({1, 4, 6, 2}, {1, 2, 3, 8}, [](auto& w, int x, int y) {
    w.node(26, {x}, y, format::BuiltinOptions_SpaceToDepthOptions,
           format::CreateSpaceToDepthOptions(w.builder, 2).Union());
  });
  const cpu::FloatTensor blocks = run_counting(back).at(0);
  for (std::size_t i = 0; i < output.size(); ++i)
    EXPECT_EQ(blocks[static_cast<std::size_t>(output[i])], static_cast<float>(i));
}

TEST(TfliteOperators, PartsAreCutAlongTheAxisOfTheFile) {
  const auto split = [](bool by_sizes, int axis, const std::vector<int>& first, const std::vector<int>& second) {
    TfliteWriter w;
    const int x = w.tensor("x", {1, 2, 4, 6}, Float32), a = w.tensor("a", first, Float32),
              b = w.tensor("b", second, Float32);
    if (by_sizes)
      w.node(102, {x, integers(w, {-1, 1}), integers(w, {axis})}, std::vector<int>{a, b});
    else
      w.node(49, {integers(w, {axis}), x}, std::vector<int>{a, b});
    return run_counting(import_tflite_bytes(w.bytes({x}, {a, b})));
  };
  const auto channels = split(false, -1, {1, 2, 4, 3}, {1, 2, 4, 3});
  EXPECT_EQ(channels[1][4], 10.0F);  // pixel 1, channel 4 of 6
  const auto columns = split(true, 2, {1, 2, 3, 6}, {1, 2, 1, 6});
  EXPECT_EQ(columns[0][6 * 3], 24.0F);
  EXPECT_EQ(columns[1][6], 42.0F);
  EXPECT_THROW(split(true, 1, {1, 2, 4, 6}, {1, 1, 4, 6}), Error);
}

TEST(TfliteOperators, FunctionsReductionsAndReflections) {
  for (const auto& [code, expected] : std::map<int, float>{{8, 3},
                                                           {47, std::exp(3.0F)},
                                                           {59, -3},
                                                           {66, std::sin(3.0F)},
                                                           {73, std::log(3.0F)},
                                                           {75, std::sqrt(3.0F)},
                                                           {76, 1 / std::sqrt(3.0F)},
                                                           {92, 9},
                                                           {104, 3},
                                                           {108, std::cos(3.0F)},
                                                           {111, 3}}) {
    const int number = code;
    const Graph graph = import_one({1, 5}, {1, 5}, [&](auto& w, int x, int y) { w.node(number, {x}, y); });
    EXPECT_NEAR(run_counting(graph).at(0)[3], expected, 1e-6F * std::abs(expected)) << number;
  }
  for (const auto& [code, expected] : std::map<int, float>{{74, 60}, {82, 20}, {89, 0}}) {
    const int number = code;
    const Graph graph = import_one({1, 2, 3, 4}, {1, 1, 1, 4}, [&](auto& w, int x, int y) {
      w.node(number, {x, integers(w, {1, 2})}, y, format::BuiltinOptions_ReducerOptions,
             format::CreateReducerOptions(w.builder, true).Union());
    });
    EXPECT_EQ(run_counting(graph).at(0)[0], expected) << number;
  }
  const Graph mirrored = import_one({1, 2, 3, 1}, {1, 2, 5, 1}, [&](auto& w, int x, int y) {
    w.node(100, {x, w.constant("pads", {{4, 2}, std::vector<std::int32_t>{0, 0, 0, 0, 1, 1, 0, 0}})}, y,
           format::BuiltinOptions_MirrorPadOptions, format::CreateMirrorPadOptions(w.builder, 0).Union());
  });
  EXPECT_EQ(run_counting(mirrored).at(0), (cpu::FloatTensor{1, 0, 1, 2, 1, 4, 3, 4, 5, 4}));
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

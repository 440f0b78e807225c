// Properties: a TensorFlow Lite file becomes a graph of ONNX operators with channels first, explicit padding,
// activations of their own and quantised tensors between QuantizeLinear and DequantizeLinear; weights keep their
// meaning in every storage (float16, sparse, int8, uint8 with zero point); flattening keeps the order of the file; all
// unsupported operators are named at once; hostile files are refused; no truncation and no flipped byte does anything
// but succeed or throw espalier::Error.
#include "model/tflite_import.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "cpu/float_reference.hpp"
#include "esp_error.hpp"
#include "model/array_order.hpp"
#include "model/rewrites.hpp"
#include "random.hpp"
#include "tflite_writer.hpp"

namespace espalier::model {
namespace {

using test::TfliteWriter;

constexpr auto Int8 = tflite::TensorType_Int8;
constexpr auto Float32 = tflite::TensorType_Float32;
const test::TfliteScales InputScale{{0.5F}, {-1}};

Array numbers(Shape shape, ElementType type, int first = 0, int modulus = 7) {
  std::vector<double> values(static_cast<std::size_t>(count_elements(shape, "test")));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = (static_cast<int>(i) * 5 + first) % modulus - modulus / 2;
  return make_array(type, std::move(shape), values);
}

/// Convolution with ReLU6, depthwise convolution, flattening and a product, all int8.
std::string small_network() {
  TfliteWriter w;
  const int image = w.tensor("image", {1, 4, 4, 2}, Int8, InputScale);
  const int kernel = w.constant("kernel", numbers({3, 3, 3, 2}, ElementType::Int8), {{0.5F, 0.25F, 1}, {0, 0, 0}, 0});
  const int bias = w.constant("bias", numbers({3}, ElementType::Int32), {{0.25F, 0.125F, 0.5F}, {0, 0, 0}, 0});
  const int map = w.tensor("map", {1, 2, 2, 3}, Int8, {{0.0235F}, {-128}});
  w.convolution({image, kernel, bias}, map, tflite::Padding_Same, 2, tflite::Activation_Relu6);
  const int spread = w.constant("spread", numbers({1, 3, 3, 3}, ElementType::Int8), {{0.5F, 0.25F, 1}, {0, 0, 0}, 3});
  const int depth = w.tensor("depth", {1, 2, 2, 3}, Int8, {{0.1F}, {3}});
  w.depthwise({map, spread, -1}, depth, tflite::Padding_Same, 1, tflite::Activation_None);
  const int flat = w.tensor("flat", {1, 12}, Int8, {{0.1F}, {3}});
  w.reshape(depth, flat, {1, -1});
  const int rows = w.constant("rows", numbers({5, 12}, ElementType::Int8), {{0.5F}, {0}});
  const int scores = w.tensor("scores", {1, 5}, Int8, {{0.5F}, {0}});
  w.fully_connected({flat, rows, -1}, scores);
  return w.bytes({image}, {scores});
}

const Node& find(const Graph& graph, const std::string& op) {
  for (const Node& node : graph.nodes)
    if (node.op == op) return node;
  throw std::runtime_error("no " + op);
}

void expect_error(ErrorCode code, const std::string& part, const std::string& bytes) {
  try {
    import_tflite_bytes(bytes);
    ADD_FAILURE() << "accepted, expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(TfliteImport, GivesStandardOperatorsWithChannelsFirst) {
  const Graph graph = import_tflite_bytes(small_network());
  EXPECT_EQ(graph.inputs[0].shape, (Shape{1, 2, 4, 4}));
  EXPECT_EQ(graph.inputs[0].type, ElementType::Int8);
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 5}));
  EXPECT_EQ(graph.outputs[0].type, ElementType::Int8);
  const Node& conv = find(graph, "Conv");
  EXPECT_EQ(graph.value(conv.inputs[1]).shape, (Shape{3, 2, 3, 3}));
  EXPECT_EQ(conv.integers("pads", {}), (std::vector<std::int64_t>{0, 0, 1, 1}));
  EXPECT_EQ(graph.value(conv.outputs[0]).shape, (Shape{1, 3, 2, 2}));
  EXPECT_FLOAT_EQ(find(graph, "Clip").real("max", 0), 6.0F);
  EXPECT_TRUE(is_quantised(graph));
}

TEST(TfliteImport, BecomesACanonicalGraphWithoutTransposes) {
  const Graph graph = canonicalise(import_tflite_bytes(small_network()));
  std::vector<std::string> operators;
  for (const Node& node : graph.nodes) operators.push_back(node.op);
  EXPECT_EQ(operators, (std::vector<std::string>{"Conv", "Conv", "Conv"}));
  EXPECT_EQ(graph.nodes[1].integer("group", 1), 3);
  const Value& bias = graph.value(graph.nodes[0].inputs[2]);
  EXPECT_EQ(bias.constant->as_integers(), numbers({3}, ElementType::Int32).as_integers());
}

/// A product with a flattened map in the order of the file, computed by hand.
TEST(TfliteImport, KeepsTheOrderOfFlattenedMaps) {
  TfliteWriter w;
  const int map = w.tensor("map", {1, 2, 3, 4}, Float32);
  const int flat = w.tensor("flat", {1, 24}, Float32);
  w.reshape(map, flat, {1, 24});
  const Array weights = numbers({2, 24}, ElementType::Float);
  const int scores = w.tensor("scores", {1, 2}, Float32);
  w.fully_connected({flat, w.constant("rows", weights), -1}, scores);
  const Graph imported = import_tflite_bytes(w.bytes({map}, {scores}));
  std::vector<float> last(24);
  std::iota(last.begin(), last.end(), 1.0F);
  const std::vector<std::size_t> order{0, 3, 1, 2};
  const auto first = permute(Array{{1, 2, 3, 4}, last}, order).as_floats();
  const auto rows = weights.as_floats();
  const Graph canonical = canonicalise(imported);
  for (const Graph* graph : {&imported, &canonical}) {
    const std::vector<cpu::FloatTensor> inputs{first};
    const auto values = cpu::FloatExecutor(*graph).run(inputs);
    const auto& result = values[static_cast<std::size_t>(graph->outputs[0].value)];
    for (std::size_t o = 0; o < 2; ++o)
      EXPECT_FLOAT_EQ(result[o],
                      std::inner_product(last.begin(), last.end(), rows.begin() + static_cast<int>(o) * 24, 0.0F));
  }
}

std::vector<std::uint8_t> bytes_of_halves(const std::vector<std::uint16_t>& halves) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint16_t half : halves) {
    bytes.push_back(static_cast<std::uint8_t>(half & 255));
    bytes.push_back(static_cast<std::uint8_t>(half >> 8));
  }
  return bytes;
}

/// The first constant that a Gemm of one row reads.
std::vector<float> row_of(const Graph& graph) {
  return graph.value(find(graph, "Gemm").inputs[1]).constant->as_floats();
}

TEST(TfliteImport, ReadsHalfPrecisionBehindDequantize) {
  TfliteWriter w;
  const int input = w.tensor("input", {1, 6}, Float32);
  const int half = w.tensor("half", {1, 6}, tflite::TensorType_Float16, {},
                            bytes_of_halves({0x3C00, 0xC000, 0x0001, 0x7BFF, 0x0000, 0x3555}));
  const int rows = w.tensor("rows", {1, 6}, Float32);
  w.node(6, {half}, rows);
  const int score = w.tensor("score", {1, 1}, Float32);
  w.fully_connected({input, rows, -1}, score);
  const Graph graph = import_tflite_bytes(w.bytes({input}, {score}));
  EXPECT_EQ(row_of(graph), (std::vector<float>{1, -2, 0x1p-24F, 65504, 0, 0x1.554p-2F}));
  EXPECT_FALSE(is_quantised(graph));
}

/// Row-major rows of stored columns: [[0, 1, 0, 0], [2, 0, 0, 3]].
std::string sparse_network(std::vector<int> segments, std::vector<std::uint8_t> indices, std::vector<float> stored) {
  TfliteWriter w;
  auto& b = w.builder;
  const int input = w.tensor("input", {1, 4}, Float32);
  const auto dense = tflite::CreateDimensionMetadata(b, tflite::DimensionType_Dense, 2);
  const auto segment_list = tflite::CreateInt32Vector(b, b.CreateVector(segments)).Union();
  const auto index_list = tflite::CreateUint8Vector(b, b.CreateVector(indices)).Union();
  const auto sparse =
      tflite::CreateDimensionMetadata(b, tflite::DimensionType_SparseCsr, 0, tflite::SparseIndexVector_Int32Vector,
                                      segment_list, tflite::SparseIndexVector_Uint8Vector, index_list);
  const auto sparsity = tflite::CreateSparsityParameters(b, b.CreateVector(std::vector<int>{0, 1}), 0,
                                                         b.CreateVector(std::vector{dense, sparse}));
  const int packed = w.tensor("packed", {2, 4}, Float32, {}, encode_elements(stored), sparsity);
  const int rows = w.tensor("rows", {2, 4}, Float32);
  w.node(124, {packed}, rows);
  const int scores = w.tensor("scores", {1, 2}, Float32);
  w.fully_connected({input, rows, -1}, scores);
  return w.bytes({input}, {scores});
}

TEST(TfliteImport, ReadsSparseWeightsBehindDensify) {
  const Graph graph = import_tflite_bytes(sparse_network({0, 1, 3}, {1, 0, 3}, {1, 2, 3}));
  EXPECT_EQ(row_of(graph), (std::vector<float>{0, 1, 0, 0, 2, 0, 0, 3}));
}

TEST(TfliteImport, RefusesContradictingSparseStorage) {
  expect_error(ErrorCode::Model, "out of range", sparse_network({0, 1, 4}, {1, 0, 3}, {1, 2, 3}));
  expect_error(ErrorCode::Model, "out of range", sparse_network({0, 1, 3}, {1, 0, 4}, {1, 2, 3}));
  expect_error(ErrorCode::Model, "out of range", sparse_network({0, 1, 3}, {1, 3, 3}, {1, 2, 3}));
  expect_error(ErrorCode::Model, "out of range", sparse_network({0, -1, 3}, {1, 0, 3}, {1, 2, 3}));
  expect_error(ErrorCode::Model, "segment is missing", sparse_network({0, 1}, {1, 0, 3}, {1, 2, 3}));
  expect_error(ErrorCode::Model, "number of values", sparse_network({0, 1, 3}, {1, 0, 3}, {1, 2}));
  expect_error(ErrorCode::Model, "number of values", sparse_network({0, 1, 3}, {1, 0, 3}, {1, 2, 3, 4}));
}

TEST(TfliteImport, ReadsUnsignedTensorsWithZeroPoints) {
  TfliteWriter w;
  const int input = w.tensor("input", {1, 1, 1, 2}, tflite::TensorType_UInt8, {{0.5F}, {128}});
  const Array weights{{1, 1, 1, 2}, std::vector<std::uint8_t>{130, 7}};
  const int result = w.tensor("result", {1, 1, 1, 1}, tflite::TensorType_UInt8, {{1}, {10}});
  w.convolution({input, w.constant("kernel", weights, {{2}, {120}}), -1}, result, tflite::Padding_Valid, 1,
                tflite::Activation_None);
  const Graph graph = canonicalise(import_tflite_bytes(w.bytes({input}, {result})));
  const Value& kernel = graph.value(graph.nodes[0].inputs[1]);
  EXPECT_EQ(kernel.constant->as_integers(), (std::vector<std::int64_t>{10, -113}));
  EXPECT_EQ(graph.value(graph.outputs[0].value).quantisation->zero, 10 - 128);
}

TEST(TfliteImport, BroadcastsConstantsAlongTheChannels) {
  TfliteWriter w;
  const int map = w.tensor("map", {1, 1, 2, 3}, Float32);
  const int sum = w.tensor("sum", {1, 1, 2, 3}, Float32);
  w.node(0, {map, w.constant("shift", {{3}, std::vector<float>{1, 2, 3}})}, sum);
  const Graph graph = import_tflite_bytes(w.bytes({map}, {sum}));
  const std::vector<cpu::FloatTensor> inputs{cpu::FloatTensor(6, 0)};
  const auto values = cpu::FloatExecutor(graph).run(inputs);
  EXPECT_EQ(values[static_cast<std::size_t>(graph.outputs[0].value)], (cpu::FloatTensor{1, 1, 2, 2, 3, 3}));
}

TEST(TfliteImport, NamesAllUnsupportedOperatorsAtOnce) {
  TfliteWriter w;
  const int input = w.tensor("input", {1, 4}, Float32);
  const int a = w.tensor("a", {1, 4}, Float32), b = w.tensor("b", {1, 4}, Float32), c = w.tensor("c", {1, 4}, Float32);
  w.node(103, {input}, a);
  w.node(16, {a}, b);
  w.node(103, {b}, c);
  expect_error(ErrorCode::Unsupported, "LSTM (1), UNIQUE (2)", w.bytes({input}, {c}));
}

TEST(TfliteImport, RefusesHostileGraphs) {
  const auto relu = [](const std::vector<int>& shape, const std::vector<int>& result, int source, int output) {
    TfliteWriter w;
    w.tensor("input", shape, Float32);
    w.tensor("result", result, Float32);
    w.node(19, {source}, output);
    return w.bytes({0}, {1});
  };
  EXPECT_NO_THROW(import_tflite_bytes(relu({1, 4}, {1, 4}, 0, 1)));
  expect_error(ErrorCode::Model, "tensor does not exist", relu({1, 4}, {1, 4}, 7, 1));
  expect_error(ErrorCode::Model, "tensor does not exist", relu({1, 4}, {1, 4}, -2, 1));
  expect_error(ErrorCode::Model, "required input", relu({1, 4}, {1, 4}, -1, 1));
  expect_error(ErrorCode::Model, "nothing defines", relu({1, 4}, {1, 4}, 1, 1));
  expect_error(ErrorCode::Model, "written twice", relu({1, 4}, {1, 4}, 0, 0));
  expect_error(ErrorCode::Model, "not that of its operator", relu({1, 4}, {1, 5}, 0, 1));
  expect_error(ErrorCode::Model, "input", relu({1, -4}, {1, -4}, 0, 1));
  expect_error(ErrorCode::Model, "input", relu({1 << 30, 1 << 30, 16}, {1, 4}, 0, 1));
  expect_error(ErrorCode::Model, "not a TensorFlow Lite file", "hello");
}

TEST(TfliteImport, RefusesWrongBuffersAndScales) {
  const auto product = [](std::vector<std::uint8_t> data, test::TfliteScales scales) {
    TfliteWriter w;
    const int input = w.tensor("input", {1, 4}, Int8, {{1}, {0}});
    const int rows = w.tensor("rows", {1, 4}, Int8, scales, data);
    const int score = w.tensor("score", {1, 1}, Int8, {{1}, {0}});
    w.fully_connected({input, rows, -1}, score);
    return w.bytes({input}, {score});
  };
  EXPECT_NO_THROW(import_tflite_bytes(product({1, 2, 3, 4}, {{1}, {0}})));
  expect_error(ErrorCode::Model, "buffer", product({1, 2, 3}, {{1}, {0}}));
  expect_error(ErrorCode::Model, "nothing defines", product({}, {{1}, {0}}));
  expect_error(ErrorCode::Model, "not positive", product({1, 2, 3, 4}, {{-1}, {0}}));
  expect_error(ErrorCode::Model, "out of range", product({1, 2, 3, 4}, {{1}, {300}}));
  expect_error(ErrorCode::Model, "differ in size", product({1, 2, 3, 4}, {{1}, {0, 0}}));
  expect_error(ErrorCode::Model, "do not fit the axis", product({1, 2, 3, 4}, {{1, 1}, {0, 0}, 1}));
  expect_error(ErrorCode::Unsupported, "no scale", product({1, 2, 3, 4}, {}));
}

void attempt(const std::string& bytes) {
  try {
    canonicalise(import_tflite_bytes(bytes, {.most_bytes = 1 << 24, .shapes = {}}));
  } catch (const Error&) {
  }
}

TEST(TfliteImport, SurvivesEveryTruncationAndManyFlippedBytes) {
  test::Random random;
  for (const std::string& bytes : {small_network(), sparse_network({0, 1, 3}, {1, 0, 3}, {1, 2, 3})}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) attempt(bytes.substr(0, size));
    for (int i = 0; i < 10000; ++i) {
      std::string damaged = bytes;
      for (int flips = random.between(1, 4); flips > 0; --flips) {
        const auto at = static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1));
        damaged[at] = static_cast<char>(random.between(0, 255));
      }
      attempt(damaged);
    }
  }
}

}  // namespace
}  // namespace espalier::model

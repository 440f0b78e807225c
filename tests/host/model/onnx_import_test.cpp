// Properties: a model becomes values, nodes and constants with inferred shapes; a free batch becomes 1; shape
// arithmetic of exporters is evaluated; every damaged, hostile or unsupported model is refused with a message that
// names the node; no truncation and no flipped byte does anything but succeed or throw espalier::Error.
#include "model/onnx_import.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "esp_error.hpp"
#include "model/model_import.hpp"
#include "onnx_builder.hpp"

namespace espalier::model {
namespace {

using test::OnnxBuilder;
using test::Random;

OnnxBuilder small_network(Random& random) {
  OnnxBuilder b;
  b.input("image", {0, 2, 8, 8});
  b.weights("w1", {4, 2, 3, 3}, random);
  b.floats("b1", {4}, {0.1F, 0.2F, 0.3F, 0.4F});
  auto& conv = b.node("Conv", {"image", "w1", "b1"}, "c1");
  OnnxBuilder::set(conv, "pads", {1, 1, 1, 1});
  b.node("Relu", {"c1"}, "r1");
  OnnxBuilder::set(b.node("MaxPool", {"r1"}, "p1"), "kernel_shape", {2, 2});
  OnnxBuilder::set(*b.model.mutable_graph()->mutable_node(2), "strides", {2, 2});
  b.node("Flatten", {"p1"}, "f1");
  b.weights("w2", {10, 64}, random);
  OnnxBuilder::set(b.node("Gemm", {"f1", "w2"}, "logits"), "transB", 1);
  b.output("logits");
  return b;
}

void expect_error(ErrorCode code, const std::string& part, const OnnxBuilder& b) {
  try {
    import_onnx_bytes(b.bytes());
    ADD_FAILURE() << "accepted, expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(OnnxImport, ReadsNodesConstantsAndShapes) {
  Random random;
  const Graph graph = import_onnx_bytes(small_network(random).bytes());
  ASSERT_EQ(graph.nodes.size(), 5U);
  EXPECT_EQ(graph.inputs[0].shape, (Shape{1, 2, 8, 8}));
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 10}));
  EXPECT_EQ(graph.value(graph.nodes[2].outputs[0]).shape, (Shape{1, 4, 4, 4}));
  EXPECT_TRUE(graph.is_constant(graph.nodes[0].inputs[1]));
}

TEST(OnnxImport, SortsNodesThatAreOutOfOrder) {
  Random random;
  OnnxBuilder b = small_network(random);
  b.model.mutable_graph()->mutable_node()->SwapElements(0, 4);
  EXPECT_EQ(import_onnx_bytes(b.bytes()).nodes.front().op, "Conv");
}

TEST(OnnxImport, EvaluatesShapeArithmetic) {
  OnnxBuilder b;
  b.input("x", {0, 3, 4, 4});
  b.node("Shape", {"x"}, "shape");
  b.constant("zero", {{}, std::vector<std::int64_t>{0}});
  b.node("Gather", {"shape", "zero"}, "batch");
  b.constant("axes", {{1}, std::vector<std::int64_t>{0}});
  b.node("Unsqueeze", {"batch", "axes"}, "batch1");
  b.constant("rest", {{1}, std::vector<std::int64_t>{-1}});
  OnnxBuilder::set(b.node("Concat", {"batch1", "rest"}, "target"), "axis", 0);
  b.node("Reshape", {"x", "target"}, "flat");
  b.output("flat");
  const Graph graph = import_onnx_bytes(b.bytes());
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 48}));
  EXPECT_EQ(graph.nodes.size(), 1U);
}

TEST(OnnxImport, RefusesWhatItCannotExecuteAndSaysWhere) {
  Random random;
  const auto with = [&](const std::function<void(OnnxBuilder&)>& change) {
    OnnxBuilder b = small_network(random);
    change(b);
    return b;
  };
  const auto graph = [](OnnxBuilder& b) { return b.model.mutable_graph(); };
  expect_error(ErrorCode::Unsupported, "DFT", with([&](auto& b) { graph(b)->mutable_node(1)->set_op_type("DFT"); }));
  expect_error(ErrorCode::Unsupported, "r1_node", with([&](auto& b) { graph(b)->mutable_node(1)->set_domain("x"); }));
  expect_error(ErrorCode::Unsupported, "opset 0",
               with([&](auto& b) { b.model.mutable_opset_import(0)->set_version(0); }));
  expect_error(ErrorCode::Unsupported, "opset 99",
               with([&](auto& b) { b.model.mutable_opset_import(0)->set_version(99); }));
  expect_error(ErrorCode::Unsupported, "momentous",
               with([&](auto& b) { OnnxBuilder::set(*graph(b)->mutable_node(1), "momentous", 1); }));
  expect_error(ErrorCode::Model, "cycle", with([&](auto& b) { graph(b)->mutable_node(0)->set_input(0, "r1"); }));
  expect_error(ErrorCode::Model, "nothing defines",
               with([&](auto& b) { graph(b)->mutable_node(1)->set_input(0, "no"); }));
  expect_error(ErrorCode::Model, "twice", with([&](auto& b) { graph(b)->mutable_node(1)->set_output(0, "c1"); }));
  expect_error(ErrorCode::Model, "number of inputs", with([&](auto& b) { graph(b)->mutable_node(0)->clear_input(); }));
  expect_error(ErrorCode::Model, "no output", with([&](auto& b) { graph(b)->mutable_node(0)->clear_output(); }));
  expect_error(ErrorCode::Model, "no outputs", with([&](auto& b) { graph(b)->clear_output(); }));
  expect_error(ErrorCode::Model, "raw data", with([&](auto& b) { graph(b)->mutable_initializer(0)->set_dims(0, 5); }));
  expect_error(ErrorCode::Model, "too large",
               with([&](auto& b) { graph(b)->mutable_initializer(0)->set_dims(0, 1L << 62); }));
  expect_error(ErrorCode::Model, "negative", with([&](auto& b) { graph(b)->mutable_initializer(0)->set_dims(0, -4); }));
  expect_error(ErrorCode::Unsupported, "element type",
               with([&](auto& b) { graph(b)->mutable_initializer(0)->set_data_type(onnx::TensorProto::STRING); }));
  expect_error(ErrorCode::Unsupported, "free", with([&](auto& b) {
                 graph(b)
                     ->mutable_input(0)
                     ->mutable_type()
                     ->mutable_tensor_type()
                     ->mutable_shape()
                     ->mutable_dim(2)
                     ->set_dim_param("h");
               }));
  expect_error(ErrorCode::Model, "groups",
               with([&](auto& b) { OnnxBuilder::set(*graph(b)->mutable_node(0), "group", 3); }));
  expect_error(ErrorCode::Model, "inner sizes", with([&](auto& b) { graph(b)->mutable_node(4)->clear_attribute(); }));
  expect_error(ErrorCode::Model, "window size", with([&](auto& b) {
                 OnnxBuilder::set(*graph(b)->mutable_node(0), "strides", {0, 1});
               }));
  expect_error(ErrorCode::Model, "required input", with([&](auto& b) {
                 graph(b)->mutable_node(1)->set_op_type("Concat");
                 graph(b)->mutable_node(1)->add_input("");
                 graph(b)->mutable_node(1)->add_input("c1");
               }));
  expect_error(ErrorCode::Model, "padding", with([&](auto& b) {
                 OnnxBuilder::set(*graph(b)->mutable_node(2), "pads", {0, 0, 2, 0});
               }));
  expect_error(ErrorCode::Unsupported, "auto_pad", with([&](auto& b) {
                 auto& a = *graph(b)->mutable_node(1)->add_attribute();
                 a.set_name("auto_pad");
               }));
}

TEST(OnnxImport, ReadsConvolutionsOfOneAndThreeDirections) {
  Random random;
  OnnxBuilder b;
  b.input("x", {1, 2, 8});
  b.weights("w", {4, 2, 3}, random);
  b.node("Conv", {"x", "w"}, "y");
  b.output("y");
  b.input("v", {1, 2, 5, 6, 7});
  b.weights("w3", {3, 2, 2, 2, 2}, random);
  b.node("Conv", {"v", "w3"}, "z");
  b.output("z");
  const Graph graph = import_onnx_bytes(b.bytes());
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 4, 6}));
  EXPECT_EQ(graph.outputs[1].shape, (Shape{1, 3, 4, 5, 6}));
}

TEST(OnnxImport, KeepsExternalDataInsideTheFolder) {
  Random random;
  const auto folder =
      std::filesystem::temp_directory_path() / ("espalier_import_" + std::to_string(random.between(0, 1 << 30)));
  std::filesystem::create_directories(folder / "model");
  const std::vector<float> values(4 * 2 * 3 * 3, 0.5F);
  const auto write = [&](const std::filesystem::path& path) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * 4));
  };
  write(folder / "model" / "weights.bin");
  write(folder / "secret.bin");
  const auto import_with = [&](const std::string& location, const std::string& offset) {
    OnnxBuilder b = small_network(random);
    auto& tensor = *b.model.mutable_graph()->mutable_initializer(0);
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&](const char* key, const std::string& value) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    };
    add("location", location);
    add("offset", offset);
    return import_onnx_bytes(b.bytes(), folder / "model");
  };
  EXPECT_EQ(import_with("weights.bin", "0").nodes.size(), 5U);
  EXPECT_THROW(import_with("weights.bin", "4"), Error);
  EXPECT_THROW(import_with("weights.bin", "99999999999999999999"), Error);
  EXPECT_THROW(import_with("missing.bin", "0"), Error);
  EXPECT_THROW(import_with("../secret.bin", "0"), Error);
  EXPECT_THROW(import_with((folder / "secret.bin").string(), "0"), Error);
  std::filesystem::create_symlink(folder / "secret.bin", folder / "model" / "link.bin");
  EXPECT_THROW(import_with("link.bin", "0"), Error);
  std::filesystem::remove_all(folder);
}

TEST(OnnxImport, BoundsTheActivations) {
  OnnxBuilder b;
  b.input("x", {1, 1, 20000, 20000});
  b.node("Relu", {"x"}, "y");
  b.output("y");
  expect_error(ErrorCode::Unsupported, "too large", b);
  OnnxBuilder c;
  c.input("x", {1, 1, 1 << 20, 1 << 20});
  c.node("Relu", {"x"}, "y");
  c.output("y");
  expect_error(ErrorCode::Model, "too large", c);
}

TEST(OnnxImport, BoundsComputedConstants) {
  OnnxBuilder b;
  b.input("x", {1, 4});
  b.constant("list0", {{1}, std::vector<std::int64_t>{1}});
  for (int i = 0; i < 40; ++i) {
    const std::string list = "list" + std::to_string(i);
    OnnxBuilder::set(b.node("Concat", {list, list}, "list" + std::to_string(i + 1)), "axis", 0);
  }
  b.node("Reshape", {"x", "list40"}, "y");
  b.output("y");
  expect_error(ErrorCode::Unsupported, "too large", b);
}

TEST(OnnxImport, RefusesFilesThatAreNoModels) {
  EXPECT_THROW(import_onnx_bytes(""), Error);
  EXPECT_THROW(import_onnx_bytes("hello world, this is no protobuf"), Error);
  EXPECT_THROW(import_model("/nonexistent/model.onnx"), Error);
  EXPECT_THROW(import_model(std::filesystem::temp_directory_path()), Error);
}

TEST(OnnxImport, ObeysTheMemoryBudget) {
  Random random;
  const std::string bytes = small_network(random).bytes();
  EXPECT_THROW(import_onnx_bytes(bytes, {}, {.most_bytes = 100}), Error);
  EXPECT_THROW(import_onnx_bytes(bytes, {}, {.most_bytes = bytes.size() - 200}), Error);
}

TEST(OnnxImport, SurvivesEveryTruncationAndManyFlippedBytes) {
  Random random;
  const std::string bytes = small_network(random).bytes();
  const auto attempt = [](const std::string& data) {
    try {
      import_onnx_bytes(data);
    } catch (const Error&) {
    }
  };
  for (std::size_t size = 0; size < bytes.size(); size += 3) attempt(bytes.substr(0, size));
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = bytes;
    const int flips = random.between(1, 4);
    for (int k = 0; k < flips; ++k)
      damaged[static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1))] =
          static_cast<char>(random.byte());
    attempt(damaged);
  }
}

}  // namespace
}  // namespace espalier::model

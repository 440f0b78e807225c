// Properties of the command line:
//   - a network with unsupported operators ends with exit code 5 and the list of all of them, ONNX and TFLite alike
//   - inspect --list-rewrites lists every step; --no-rewrite leaves one out, in inspect, compile and run
//   - a Caffe2 network is read from its pair of files, found by name or named by --init-net
#include <gtest/gtest.h>

#include "caffe2_builder.hpp"
#include "command_runner.hpp"
#include "onnx_builder.hpp"
#include "tflite_writer.hpp"
#include "tools/npy.hpp"

namespace espalier::tools {
namespace {

using ImportCommand = CommandRunner;
using test::OnnxBuilder;

constexpr int UnsupportedCode = 5;
constexpr int UsageCode = 2;

std::string unsupported_onnx() {
  OnnxBuilder b;
  b.input("x", {1, 2, 4, 4});
  b.node("DFT", {"x"}, "e");
  b.node("Relu", {"e"}, "r");
  b.node("GRU", {"r"}, "g");
  b.output("g");
  return b.bytes();
}

std::string unsupported_tflite() {
  test::TfliteWriter w;
  std::vector<int> tensors;
  for (const char* name : {"input", "a", "b"})
    tensors.push_back(w.tensor(name, {1, 4}, test::tflite::TensorType_Float32));
  w.node(103, {tensors[0]}, tensors[1]);
  w.node(16, {tensors[1]}, tensors[2]);
  return w.bytes({tensors[0]}, {tensors[2]});
}

TEST_F(ImportCommand, ListsAllUnsupportedOperators) {
  const auto expect_list = [&](const std::string& file, const std::vector<std::string>& operators) {
    for (const char* command : {"inspect", "compile"}) {
      EXPECT_EQ(run({command, file}), UnsupportedCode);
      const auto& list = answer()["error"]["operators"];
      ASSERT_EQ(list.size(), operators.size());
      for (std::size_t i = 0; i < operators.size(); ++i) {
        EXPECT_EQ(list[i]["operator"], operators[i]);
        EXPECT_FALSE(list[i]["node"].get<std::string>().empty());
        EXPECT_EQ(list[i]["reason"], "the operator is not supported");
      }
    }
  };
  expect_list(write("a.onnx", unsupported_onnx()), {"DFT", "GRU"});
  expect_list(write("a.tflite", unsupported_tflite()), {"UNIQUE", "LSTM"});
}

TEST_F(ImportCommand, PrintsTheListAsText) {
  const std::string file = write("a.onnx", unsupported_onnx());
  const std::vector<const char*> arguments{"inspect", file.c_str()};
  std::ostringstream out, err;
  EXPECT_EQ(run_command_line(arguments, out, err), UnsupportedCode);
  EXPECT_NE(err.str().find("2 operators are not supported"), std::string::npos) << err.str();
  EXPECT_NE(err.str().find("\n  node 'e_node' (DFT): the operator is not supported"), std::string::npos);
  EXPECT_NE(err.str().find("\n  node 'g_node' (GRU): the operator is not supported"), std::string::npos);
}

std::string padded_network() {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4});
  b.floats("w", {1, 1, 3, 3}, std::vector<float>(9, 0.25F));
  OnnxBuilder::set(b.node("Pad", {"x"}, "p"), "pads", {0, 0, 1, 1, 0, 0, 1, 1});
  b.node("Conv", {"p", "w"}, "y");
  b.output("y");
  return b.bytes();
}

TEST_F(ImportCommand, ListsRewritesAndLeavesThemOut) {
  ASSERT_EQ(run({"inspect", "--list-rewrites"}), 0);
  ASSERT_GE(answer()["rewrites"].size(), 15U);
  for (const auto& step : answer()["rewrites"])
    for (const char* key : {"name", "kind", "summary"}) EXPECT_FALSE(step[key].get<std::string>().empty());
  const std::string file = write("padded.onnx", padded_network());
  ASSERT_EQ(run({"inspect", file}), 0);
  EXPECT_EQ(answer()["layers"].size(), 1U);
  ASSERT_EQ(run({"inspect", file, "--no-rewrite", "fold-padding"}), 0);
  EXPECT_EQ(answer()["layers"].size(), 2U);
  ASSERT_EQ(run({"compile", file, "--array", "8x8", "--no-rewrite", "fold-padding", "-o", path("padded.esp")}), 0);
  const auto npy = format_npy({{1, 1, 4, 4}, std::vector<float>(16, 0.5F)});
  const std::string input = write("x.npy", {npy.begin(), npy.end()});
  EXPECT_EQ(
      run({"run", file, "--input", input, "--device", "functional", "--array", "8x8", "--no-rewrite", "fold-padding"}),
      0);
  EXPECT_EQ(run({"inspect", file, "--no-rewrite", "nothing"}), UsageCode);
  EXPECT_EQ(run({"inspect", file, "--no-rewrite", "to-maps"}), UsageCode);
  EXPECT_EQ(run({"inspect"}), UsageCode);
}

/// A depthwise QLinearConv whose uint8 weights minus their zero point do not fit int8.
std::string unsigned_depthwise() {
  OnnxBuilder b;
  b.input("x", {1, 6, 5, 5}, onnx::TensorProto::UINT8);
  b.scalar("xs", 0.02F);
  b.unsigned_zero("xz", 120);
  std::vector<std::uint8_t> weights(54);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::uint8_t>(i * 71);
  b.constant("w", {{6, 1, 3, 3}, weights});
  b.scalar("ws", 0.01F);
  b.unsigned_zero("wz", 20);
  b.scalar("ys", 0.2F);
  b.unsigned_zero("yz", 131);
  auto& node = b.node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz"}, "y");
  OnnxBuilder::set(node, "pads", {1, 1, 1, 1});
  OnnxBuilder::set(node, "group", 6);
  b.output("y", onnx::TensorProto::UINT8);
  return b.bytes();
}

TEST_F(ImportCommand, UnsignedDepthwiseWeightsRunExactlyOnTheArray) {
  const std::string file = write("depthwise.onnx", unsigned_depthwise());
  EXPECT_EQ(run({"verify", file, "--array", "8x8", "--devices", "functional"}), 0);
}

TEST_F(ImportCommand, ReadsCaffe2ByPairOrByOption) {
  const test::Caffe2Files files = test::small_caffe2_network();
  const std::string predict = write("small_predict_net.pb", files.predict);
  EXPECT_NE(run({"inspect", predict}), 0);  // the weights are missing
  write("small_init_net.pb", files.init);
  ASSERT_EQ(run({"inspect", predict}), 0);
  EXPECT_EQ(answer()["format"], "caffe2");
  EXPECT_EQ(answer()["inputs"][0]["name"], "data");
  const std::string other = write("network.pb", files.predict), weights = write("weights.pb", files.init);
  ASSERT_EQ(run({"inspect", other, "--init-net", weights}), 0);
  EXPECT_EQ(answer()["format"], "caffe2");
  ASSERT_EQ(run({"inspect", other, "--init-net", weights, "--shape", "data=1,2,4,4"}), 0);
  EXPECT_EQ(run({"inspect", other, "--init-net", weights, "--shape", "nobody=1,2"}), UsageCode);
}

}  // namespace
}  // namespace espalier::tools

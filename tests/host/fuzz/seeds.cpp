// Writes small whole files of every format, one folder for each target: what the fuzzer begins with.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "caffe2_builder.hpp"
#include "compile/program_file.hpp"
#include "compile/sealed_bytes.hpp"
#include "layer_executable.hpp"
#include "onnx_builder.hpp"
#include "run/executable_file.hpp"
#include "tflite_writer.hpp"

using namespace espalier;

namespace {

void write(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

std::string text(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/// Convolution, clamp, pool, sum, flattening and a product.
std::string onnx_network() {
  test::OnnxBuilder b;
  b.input("x", {0, 2, 4, 4});
  b.floats("w", {2, 2, 3, 3}, std::vector<float>(36, 0.5F));
  b.floats("b", {2}, {1, -1});
  test::OnnxBuilder::set(b.node("Conv", {"x", "w", "b"}, "c"), "pads", {1, 1, 1, 1});
  b.node("Relu", {"c"}, "r");
  b.node("Add", {"r", "x"}, "a");
  test::OnnxBuilder::set(b.node("MaxPool", {"a"}, "p"), "kernel_shape", {2, 2});
  b.node("Flatten", {"p"}, "f");
  b.floats("g", {18, 3}, std::vector<float>(54, 0.1F));
  b.node("Gemm", {"f", "g"}, "y");
  b.node("Softmax", {"y"}, "s");
  b.output("s");
  return b.bytes();
}

std::string onnx_operator(const std::string& op) {
  test::OnnxBuilder b;
  b.input("x", {1, 2, 4, 4});
  b.scalar("k", 3);
  const bool two = op == "Add" || op == "Mul" || op == "Sub" || op == "Div";
  b.node(op, two ? std::vector<std::string>{"x", "k"} : std::vector<std::string>{"x"}, "y");
  b.output("y");
  return b.bytes();
}

std::string onnx_quantised(bool dynamic) {
  test::OnnxBuilder b;
  b.input("x", {1, 2, 4, 4});
  b.scalar("s", 0.1F);
  b.unsigned_zero("z", 7);
  b.constant("w", {{2, 2, 1, 1}, std::vector<std::uint8_t>{1, 200, 3, 4}});
  if (dynamic) {
    auto& node = b.node("DynamicQuantizeLinear", {"x"}, "q");
    node.add_output("qs");
    node.add_output("qz");
    b.node("ConvInteger", {"q", "w", "qz", "z"}, "i");
    test::OnnxBuilder::set(b.node("Cast", {"i"}, "f"), "to", 1);
    b.node("Mul", {"qs", "s"}, "m");
    b.node("Mul", {"f", "m"}, "y");
  } else {
    b.node("QuantizeLinear", {"x", "s", "z"}, "q");
    b.node("QLinearConv", {"q", "s", "z", "w", "s", "z", "s", "z"}, "c");
    b.node("DequantizeLinear", {"c", "s", "z"}, "y");
  }
  b.output("y");
  return b.bytes();
}

std::string tflite_network() {
  test::TfliteWriter w;
  const test::TfliteScales scales{{0.5F}, {3}};
  const int x = w.tensor("x", {1, 4, 4, 2}, model::tflite::TensorType_Int8, scales);
  const int weights = w.constant("w", {{2, 1, 1, 2}, std::vector<std::int8_t>{1, 2, 3, 4}}, {{0.1F, 0.2F}, {0, 0}});
  const int c = w.tensor("c", {1, 4, 4, 2}, model::tflite::TensorType_Int8, scales);
  w.convolution({x, weights, -1}, c, model::tflite::Padding_Same, 1, model::tflite::Activation_Relu);
  return w.bytes({x}, {c});
}

std::string png_pixel() {
  static const unsigned char bytes[] = {
      0x89, 'P',  'N',  'G', 0x0D, 0x0A, 0x1A, 0x0A, 0,    0,    0,    0x0D, 'I', 'H', 'D',  'R', 0, 0,
      0,    1,    0,    0,   0,    1,    8,    2,    0,    0,    0,    0x90, 'w', 'S', 0xDE, 0,   0, 0,
      0x0C, 'I',  'D',  'A', 'T',  8,    0xD7, 'c',  0xF8, 0xCF, 0xC0, 0,    0,   3,   1,    1,   0, 0x18,
      0xDD, 0x8D, 0xB0, 0,   0,    0,    0,    'I',  'E',  'N',  'D',  0xAE, 'B', '`', 0x82};
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

std::string jpeg_header() {
  static const unsigned char bytes[] = {0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0,  8, 1,    1,   0x11,
                                        0,    0xFF, 0xDA, 0,    8, 1,  1, 0, 0, 63, 0, 0xFF, 0xD9};
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

void write_compiled(const std::filesystem::path& folder) {
  const auto body = [](const std::vector<std::uint8_t>& sealed) {
    return text({sealed.begin(), sealed.end() - static_cast<std::ptrdiff_t>(compile::SealBytes)});
  };
  const test::LayerExecutable layer = test::make_layer("conv ic2 ih4 oc2 kh3 ph1");
  write(folder / "file", std::string(1, '\0') + body(run::serialise(layer.executable)));
  write(folder / "program", std::string(1, '\1') + body(compile::serialise(layer.executable.compiled)));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 1;
  }
  const std::filesystem::path folder = arguments[1];
  write(folder / "onnx" / "network", onnx_network());
  write(folder / "onnx" / "quantised", onnx_quantised(false));
  write(folder / "onnx" / "dynamic", onnx_quantised(true));
  for (const char* op : {"Relu", "Sigmoid", "HardSigmoid", "GlobalAveragePool", "Flatten", "Transpose", "Add", "Mul"})
    write(folder / "onnx" / op, onnx_operator(op));
  write(folder / "tflite" / "network", tflite_network());
  const test::Caffe2Files caffe2 = test::small_caffe2_network();
  const std::size_t size = caffe2.predict.size();
  const std::string header{static_cast<char>(size % 256), static_cast<char>(size / 256)};
  write(folder / "caffe2" / "network", header + caffe2.predict + caffe2.init);
  write(folder / "image" / "pixel.png", png_pixel());
  write(folder / "image" / "grey.jpg", jpeg_header());
  write_compiled(folder / "executable");
  return 0;
}

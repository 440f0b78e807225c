// ./run proof models: networks that others trained, against executors that others wrote:
//   - the four int8 networks of MLPerf Tiny: every layer at most one step from TensorFlow Lite on its own input, the
//     same answers, 25 dB against float32 with dequantised weights, the same bits on our own devices
//   - BlazeFace finds the face of the portrait, PP-OCR the lines of a page; the zeros of a pruned detector stay zeros
//     (faces, text, sparse)
//   - BlazeFace and PP-OCR find the boxes of ONNX Runtime's outputs, in float32 and quantised (boxes)
//   - BlazeFace and PP-OCR detection in float32 within 1e-4 of ONNX Runtime, by the reference and from the command
//     line, with the time of both as a figure; quantised, the same bits on the CPU and the functional device
// ESPALIER_MODELS is the folder of the networks, ESPALIER_PACKAGES that of unpacked npm packages and oracles' files;
// run makes both. Without them the proof is skipped. Arguments choose parts by name.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <string>

#include "proof.hpp"

namespace espalier::test {
namespace {

constexpr int Skipped = 77;
constexpr std::array Tiny{"mlperf_tiny_resnet8_int8", "mlperf_tiny_dscnn_int8", "mlperf_tiny_mobilenetv1_025_int8",
                          "mlperf_tiny_autoencoder_int8"};

struct FloatNetwork {
  const char* name;
  const char* file;
  const char* oracle;
  int runs;           // of a measurement
  std::int64_t step;  // of the rows and columns of an input that runs quantised
};
constexpr std::array Floats{
    FloatNetwork{"blazeface", "blazeface/ONNX/face_detection_front_128x128_barracuda.onnx", "blazeface.oracle", 101, 1},
    FloatNetwork{"ppocr", "ocr/assets/ch_PP-OCRv4_det_infer.onnx", "ppocr.oracle", 5, 4}};

int prove(std::span<char* const> wanted) {
  const char *networks = std::getenv("ESPALIER_MODELS"), *packages = std::getenv("ESPALIER_PACKAGES");
  if (packages == nullptr) {
    std::cout
        << "left out: all networks that others trained; ./run proof models fetches the executors to compare with\n";
    return Skipped;
  }
  const auto chosen = [&](const std::string& name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  const ProofFolders folders{networks == nullptr ? "" : networks, packages};
  if (networks == nullptr)
    std::cout << "left out: the networks of MLPerf Tiny; set ESPALIER_MODELS to the folder of their .tflite files\n";
  bool holds = true;
  for (const char* name : Tiny)
    if (networks != nullptr && chosen(name)) holds = prove_tflite(folders, name) && holds;
  for (const FloatNetwork& each : Floats)
    if (chosen(each.name)) holds = prove_float(folders, each.file, each.oracle, each.runs) && holds;
  for (const FloatNetwork& each : Floats)
    if (chosen(each.name)) holds = prove_placed(folders, each.file, each.oracle, each.step) && holds;
  if (chosen("faces")) holds = prove_faces(folders) && holds;
  if (chosen("text")) holds = prove_text(folders) && holds;
  if (chosen("boxes")) holds = prove_boxes(folders) && holds;
  if (chosen("sparse")) holds = prove_sparse(folders) && holds;
  std::cout << (holds ? "all proven\n" : "NOT proven\n");
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace espalier::test

int main(int argc, char** argv) {
  try {
    return espalier::test::prove(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\nNOT proven\n";
    return 1;
  }
}

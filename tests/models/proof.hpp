// The parts of ./run proof models. Each prints what it finds and returns whether all that must hold holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

namespace espalier::test {

struct ProofFolders {
  std::filesystem::path networks;  // of the MLPerf Tiny networks
  std::filesystem::path packages;  // where npm packages were unpacked, and the files of the oracles
};

/// Prints a line that begins with "ok" or "FAILED", and returns `holds`.
inline bool check(bool holds, const std::string& text) {
  std::cout << (holds ? "  ok      " : "  FAILED  ") << text << std::endl;
  return holds;
}

/// An int8 network against TensorFlow Lite: layers, answers, noise, our own devices.
bool prove_tflite(const ProofFolders& folders, const std::string& network);

/// A float32 network against ONNX Runtime: the reference executor and `espalier run --device cpu`; prints the times of
/// both, of medians over `runs` runs.
bool prove_float(const ProofFolders& folders, const std::string& file, const std::string& oracle, int runs);

/// The same network quantised: `espalier run` gives the same bits on the CPU and on the functional device. Inputs are
/// thinned to every `step`-th row and column. Prints the noise of every output.
bool prove_placed(const ProofFolders& folders, const std::string& file, const std::string& oracle, std::int64_t step);

/// BlazeFace in both of its forms finds the face in portrait.png, in float32 and on the accelerator, and draws it.
bool prove_faces(const ProofFolders& folders);

/// PP-OCR detection finds the lines of page.png, in float32.
bool prove_text(const ProofFolders& folders);

/// BlazeFace and PP-OCR detection find the boxes that ONNX Runtime's outputs have, in float32 and quantised on the
/// functional device, on views of pictures beside those that were calibrated with. Prints a row for each.
bool prove_boxes(const ProofFolders& folders);

/// MediaPipe's pruned detector, stored sparse, keeps its zeros into the layers of the accelerator.
bool prove_sparse(const ProofFolders& folders);

}  // namespace espalier::test

// Trains the digit network with exits for several seeds, each beside the same network without early exits, and writes
// the first seed's as ONNX.
//
//   run_exits({.data = "mnist", .out = "digits"});   // digits/digits_exits.onnx, digits/exits_training.json
#pragma once

#include <filesystem>
#include <vector>

#include "exit_training.hpp"
#include "samples.hpp"

namespace espalier::trainer {

struct ExitRun {
  std::filesystem::path data;
  std::filesystem::path out;
  std::filesystem::path states;  // folder that keeps trained networks between runs; empty: none
  std::uint64_t seed = 2;        // the first
  std::int64_t seeds = 3;
  int threads = 2;
  std::int64_t training_limit = 60000;
  std::int64_t held_out = 5000;
  bool only_train = false;  // keep the networks in `states` and leave the test images alone
  ExitTraining training;
};

/// Images <prefix>-images-idx3-ubyte and their labels. Throws espalier::Error (Input) if they are not digits.
Samples load_samples(const std::filesystem::path& folder, const std::string& prefix);

/// Trains, and after that reads the test images, once, for the accuracy of every exit. Files are read back and
/// measured.
void run_exits(const ExitRun& options);

}  // namespace espalier::trainer

// training.json: options, what each epoch reached on held-out images, and accuracy and density of the files written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph_run.hpp"
#include "training.hpp"

namespace espalier::trainer {

// What was measured on one ONNX file, after reading it back.
struct FileResult {
  std::string file;
  GraphScore held_out;
  GraphScore test;
  std::vector<LayerDensity> layers;
};

struct Report {
  std::uint64_t seed;
  int threads;
  std::int64_t training_count;
  std::int64_t held_out_count;
  std::vector<PhaseLog> phases;
  std::vector<FileResult> files;
};

void write_report(const std::filesystem::path& path, const Report& report);
void print(const FileResult& result);

}  // namespace espalier::trainer

// Outputs of a network as boxes: the options of `espalier run`, boxes[] of its document, and the picture with the
// boxes.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "console.hpp"
#include "inputs.hpp"
#include "report_json.hpp"
#include "results/boxes.hpp"
#include "run/report.hpp"
#include "run_inputs.hpp"

namespace espalier::tools {

struct ResultTexts {
  std::string kind = "arrays";  // arrays, labels or boxes
  std::string anchors;
  std::string suppression = "weighted";
  double least_score = 0.5;
  double overlap = 0.3;
  double threshold = 0.3;
  double unclip = 1.5;
  std::string draw;
};

void add_result_options(CLI::App& command, ResultTexts& texts);

/// Throws Error (Usage) for options that belong to boxes without --results boxes.
void check_result_options(const ResultTexts& texts);

/// What the boxes are of.
struct BoxSource {
  const std::vector<run::RunReport>& reports;
  const std::vector<RunInput>& inputs;
  std::vector<InputShape> shapes;  // of the network's inputs; the first one is the picture
  const InputOptions& options;
  const std::string& label_file;
};

/// The boxes of the outputs of one run, in pixels of the network's input. One output with a map of probabilities is
/// text detection, others are regressors and scores at anchors. Throws Error (Usage).
std::vector<results::Box> find_boxes(const std::vector<run::Output>& outputs, const InputShape& picture,
                                     const ResultTexts& texts);

/// With --results boxes: boxes[] {sample, left, top, right, bottom, score, label, corners of turned ones}, in pixels of
/// the picture in the file, or of the network's input for other files; draws if that is asked for.
void add_boxes(Json& json, std::string& text, const ResultTexts& texts, const BoxSource& source, Console& console);

}  // namespace espalier::tools

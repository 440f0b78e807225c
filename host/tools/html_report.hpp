// The report of a run as one HTML page that needs nothing else: charts, tables and images are inside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compile/timing/predict.hpp"
#include "run/report.hpp"

namespace espalier::tools {

/// A grey image with the answer the network gave.
struct AnsweredImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  // height x width
  std::string answer;
  std::string truth;  // empty if not known
  bool right() const { return truth.empty() || truth == answer; }
};

/// The same network without pruning on the same array.
struct DenseComparison {
  std::string model;
  run::Totals totals;
};

struct HtmlContents {
  std::string title;
  run::RunReport report;  // of one run, or a prediction: without a device
  std::vector<AnsweredImage> images;
  std::optional<DenseComparison> dense;
  compile::MemoryParameters memory;  // of the roofline
  std::string sections = {};         // HTML behind the layers
};

/// The page. Readable in light and dark.
std::string html_report(const HtmlContents& contents);

}  // namespace espalier::tools

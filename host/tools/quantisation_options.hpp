// The options that say how a float32 network is quantised.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/quantise.hpp"

namespace espalier::tools {

/// As text, before they are understood.
struct QuantisationTexts {
  std::vector<std::string> calibrate;  // files or folders of samples, or "generated"
  std::string calibration = "minmax";
  double percentile = 99.99;
  bool equalise = false;
  bool compensate = false;
  bool correct_bias = false;
  std::vector<std::string> ranges;  // NAME=LOW:HIGH
  std::optional<std::uint64_t> budget_bytes;
  std::optional<double> budget_bits;
  std::vector<std::string> types;
  std::optional<std::size_t> noise_samples;  // none: a few; 0: noise is not measured

  bool changes_numbers() const {
    return equalise || compensate || correct_bias || budget_bytes || budget_bits || !types.empty() || !ranges.empty();
  }
  bool generated() const { return calibrate.empty() || (calibrate.size() == 1 && calibrate.front() == "generated"); }
};

void add_quantisation_options(CLI::App& command, QuantisationTexts& texts);

/// Throws Error (Usage).
compress::QuantiseOptions parse_quantisation_options(const QuantisationTexts& texts);

/// The files of --calibrate; a folder stands for the files in it, by name. Throws Error (Input) for a folder without
/// files.
std::vector<std::string> calibration_files(const QuantisationTexts& texts);

}  // namespace espalier::tools

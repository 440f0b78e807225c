// The options that say where layers run, shared by run and inspect.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "console.hpp"
#include "model_loader.hpp"
#include "plan/placement/place.hpp"

namespace espalier::tools {

/// As text, before they are understood.
struct PlaceTexts {
  std::string place = "accelerator";  // accelerator, auto, cpu
  std::vector<std::string> pins;      // LAYER=cpu, LAYER=accelerator
  bool forbid_cpu = false;
  std::string cpu_costs;  // file; empty: that of the user's cache
  std::string link;
  std::optional<double> clock;  // MHz
  std::size_t group_trials = 4;

  /// Something was asked for that a compiled file cannot do.
  bool given() const { return place != "accelerator" || !pins.empty() || forbid_cpu; }
};

void add_place_options(CLI::App& command, PlaceTexts& texts);

/// Throws Error (Usage).
plan::PlaceOptions parse_place_options(const PlaceTexts& texts, const CompileSettings& settings, Console& console);

/// Places a model with the CPU times of the file of the options, or of the user's cache; what was measured is kept
/// there. Throws as plan::place does.
plan::MixedPlan place_model(const QuantisedModel& model, const PlaceTexts& texts, const CompileSettings& settings,
                            bool costs, Console& console);

}  // namespace espalier::tools

// From what the plan command is given to a problem: a problem file, a network of the zoo, a model file, a compiled
// file.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "console.hpp"
#include "model_loader.hpp"
#include "plan/cost/problem.hpp"

namespace espalier::tools {

struct PlanNetworkOptions {
  std::string source;  // problem.json, a name of the zoo, .onnx, .tflite or .esp
  ModelOptions model;
  double density = 1;  // of a zoo network's weights
  std::string pattern = "unstructured";
  int resolution = 0;           // of a zoo network; 0: as published
  std::optional<double> clock;  // MHz
  std::string cpu = "0.1x", server = "10x";
  std::string power = "5,3,0";
  int positions = 3;
  std::string exits;  // JSON file; empty: the network's outputs
};

/// The positional argument and all options that say what the problem is.
void add_plan_network_options(CLI::App& command, PlanNetworkOptions& options);

/// The network that the options name, quantised; that of a zoo has int8 ports. Throws Error (Usage) for a problem file
/// and a compiled file, which have no layers, else as import_model().
QuantisedModel plan_model(const PlanNetworkOptions& options, Console& console);

/// Throws Error (Usage, Input, Model, Unsupported).
plan::Problem plan_problem(const PlanNetworkOptions& options, Console& console);

}  // namespace espalier::tools

// `espalier run --device cpu` of a network in float32: as it is in the file, not quantised.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "console.hpp"
#include "model_options.hpp"
#include "run/report.hpp"
#include "run_inputs.hpp"

namespace espalier::tools {

struct FloatResults {
  std::string executor;
  std::vector<InputShape> shapes;  // of the inputs
  std::vector<RunInput> inputs;
  std::vector<run::RunReport> reports;  // one per input; only their outputs are filled in
};

/// Runs a model on inputs read from `files`. Nothing if the model carries a quantisation: then its integers are what
/// counts. Throws Error (Usage, Input, Model, Unsupported).
std::optional<FloatResults> run_in_float(const ModelOptions& options, const std::vector<std::string>& files,
                                         const InputOptions& input_options, Console& console);

}  // namespace espalier::tools

// The fastest executor of this build for networks in float32.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cpu/float_reference.hpp"
#include "model/graph.hpp"

namespace espalier::tools {

struct FloatExecution {
  std::string name;  // of the executor, in reports
  /// The outputs in the order of graph.outputs for the inputs in the order of graph.inputs, row-major.
  std::function<std::vector<cpu::FloatTensor>(std::span<const cpu::FloatTensor>)> run;
};

/// oneDNN on one thread, or the reference executor where the build has no oneDNN. `graph` outlives the result. Throws
/// Error(Unsupported).
FloatExecution make_float_execution(const model::Graph& graph);

}  // namespace espalier::tools

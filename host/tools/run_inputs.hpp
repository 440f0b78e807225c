// The values of whole runs: one sample for every input of the network.
#pragma once

#include <string>
#include <vector>

#include "inputs.hpp"

namespace espalier::tools {

struct RunInput {
  std::string name;                        // of the first input's sample
  std::vector<std::vector<float>> values;  // one per network input, C order
};

/// Reads runs from files. Files come in groups of one per network input, in the network's order; the items of the files
/// of a group belong together. `option` names the files in errors. Throws Error (Usage, Input, Unsupported).
std::vector<RunInput> read_run_inputs(const std::vector<std::string>& files, const std::vector<InputShape>& shapes,
                                      const InputOptions& options, const std::string& option);

}  // namespace espalier::tools

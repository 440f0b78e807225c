// A synthetic layer as benches run it: compiled, with random inputs and the answer of the CPU reference.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "console.hpp"
#include "cpu/reference.hpp"
#include "model_loader.hpp"

namespace espalier::tools {

struct LayerCase {
  model::Network network;
  run::Executable executable;
  std::vector<cpu::Tensor> inputs;
  cpu::Tensor expected;
};

/// The layer of a line of model::parse_layer(), for the array and memory of the settings; `seed` is that of weights and
/// inputs. Throws Error(Usage, Model, Unsupported).
LayerCase make_layer_case(const std::string& layer, std::uint64_t seed, const CompileSettings& settings,
                          Console& console);

}  // namespace espalier::tools

// A published network with synthetic pruned weights, as the benches name it on their command lines.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "console.hpp"
#include "cpu/fast.hpp"
#include "model/network.hpp"
#include "model_loader.hpp"
#include "run/session.hpp"
#include "zoo/random.hpp"
#include "zoo/zoo.hpp"

namespace espalier::tools {

struct SyntheticNetwork {
  std::string name;
  std::string pattern = "unstructured";
  zoo::Options zoo;
};

/// NETWORK and what says how it is made.
void add_synthetic_network_options(CLI::App& command, SyntheticNetwork& options);

/// Throws Error (Usage) for an unknown network or pattern.
model::Network build(const SyntheticNetwork& options, Console& console);

/// Compiles with a line of progress for every tenth of the layers; threads 0: one per processor.
run::Executable compile_synthetic(const model::Network& network, const CompileSettings& settings, unsigned threads,
                                  Console& console);

/// A tensor of values in -128..127 for every input of the network.
std::vector<cpu::Tensor> random_inputs(const model::Network& network, zoo::Random& random);

/// network, density, pattern, width, resolution, seed.
void add_synthetic_network(Json& json, const SyntheticNetwork& options);

}  // namespace espalier::tools

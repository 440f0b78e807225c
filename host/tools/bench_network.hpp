// `espalier bench network`: whole networks by their geometry, with synthetic pruned weights.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

/// Adds the subcommand to `bench`.
void add_bench_network(CLI::App& bench, Console& console);

}  // namespace espalier::tools

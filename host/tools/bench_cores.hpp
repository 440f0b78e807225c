// `espalier bench cores`: several cores that share one memory, each with a frame of a network.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

/// Adds the subcommand to `bench`.
void add_bench_cores(CLI::App& bench, Console& console);

}  // namespace espalier::tools

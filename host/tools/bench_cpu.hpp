// `espalier bench cpu`: the time that this machine takes for a network, in float32 and in int8.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

/// Adds the subcommand to `bench`.
void add_bench_cpu(CLI::App& bench, Console& console);

}  // namespace espalier::tools

// `espalier bench peers`: the layers on which other accelerators were measured, beside their figures.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

/// Adds the subcommand to `bench`.
void add_bench_peers(CLI::App& bench, Console& console);

}  // namespace espalier::tools

// `espalier bench levers`: what the run-time policies save on the shipped digits, and what they cost.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

/// Adds the subcommand to `bench`.
void add_bench_levers(CLI::App& bench, Console& console);

}  // namespace espalier::tools

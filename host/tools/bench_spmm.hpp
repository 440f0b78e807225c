// `espalier bench spmm`: a sparse matrix from a Matrix Market file times random int8 columns.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

/// Adds the subcommand to `bench`.
void add_bench_spmm(CLI::App& bench, Console& console);

}  // namespace espalier::tools

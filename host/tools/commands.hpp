// One function per command: adds it to the command line; its callback runs after parsing and throws espalier::Error.
#pragma once

#include <CLI/CLI.hpp>

#include "console.hpp"

namespace espalier::tools {

void add_inspect(CLI::App& app, Console& console);
void add_compile(CLI::App& app, Console& console);
void add_run(CLI::App& app, Console& console);
void add_serve(CLI::App& app, Console& console);
void add_bench(CLI::App& app, Console& console);
void add_plan(CLI::App& app, Console& console);
void add_verify(CLI::App& app, Console& console);
void add_conformance(CLI::App& app, Console& console);
void add_exits(CLI::App& app, Console& console);
void add_devices(CLI::App& app, Console& console);
void add_demo(CLI::App& app, Console& console);

/// --json and --quiet, which every command has.
void add_console_options(CLI::App& command, Console& console);

}  // namespace espalier::tools

// The `espalier` command line: parses arguments, runs one command, turns errors into exit codes.
#pragma once

#include <iosfwd>
#include <span>

namespace espalier::tools {

/// Runs the command that `arguments` (without the program's name) describe. Reports go to `out`, progress and errors to
/// `err`. Returns the process's exit code; throws nothing.
int run_command_line(std::span<const char* const> arguments, std::ostream& out, std::ostream& err);

}  // namespace espalier::tools

#include <iostream>
#include <span>

#include "command_line.hpp"

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
  return espalier::tools::run_command_line(arguments.subspan(arguments.empty() ? 0 : 1), std::cout, std::cerr);
}

// The options of commands that read model files.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "model/import_options.hpp"

namespace espalier::tools {

/// As text, before they are understood.
struct ImportTexts {
  std::vector<std::string> shapes;  // "NAME=1,3,224,224"
  std::string budget = "2048M";
};

void add_import_options(CLI::App& command, ImportTexts& texts);

/// Throws Error (Usage).
model::ImportOptions parse_import_options(const ImportTexts& texts);

}  // namespace espalier::tools

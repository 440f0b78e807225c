// The options of commands that read model files.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "model/import_options.hpp"
#include "model/rewrite_list.hpp"

namespace espalier::tools {

/// As text, before they are understood.
struct ImportTexts {
  std::vector<std::string> shapes;  // "NAME=1,3,224,224"
  std::string budget = "2048M";
  std::vector<std::string> without;  // names of rewrites
  std::string init_net;              // of a Caffe2 network
};

void add_import_options(CLI::App& command, ImportTexts& texts);

/// The rewrites that are left out. Throws Error (Usage) for names of none and of those that cannot be.
model::RewriteOptions parse_rewrite_options(const ImportTexts& texts);

/// Throws Error (Usage).
model::ImportOptions parse_import_options(const ImportTexts& texts);

}  // namespace espalier::tools

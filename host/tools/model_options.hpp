// The options that say which model is meant and how it is compiled, shared by all commands that take a model.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "import_options.hpp"
#include "inputs.hpp"
#include "quantisation_options.hpp"

namespace espalier::tools {

struct ModelOptions {
  std::string path;
  std::string array;  // empty: 16x16, or what a compiled file is for
  std::string memory = "bytes=64,latency=40";
  std::string weights = "auto";        // auto, dense, sparse
  std::string weight_format = "auto";  // auto, raw, fixed, huffman
  std::optional<int> split;            // channels in a computed word
  QuantisationTexts quantisation;
  ImportTexts import_texts;
  bool list_rewrites = false;  // of inspect
  bool exits = false;          // the outputs are exits: compiled in stages
};

/// As text, before they are understood.
struct InputTexts {
  std::string mean, scale, layout = "auto";
  std::string fit = "stretch", channel_order = "rgb";
  int margin = 0;
  std::vector<std::string> resize;  // none: not given; "": to the network's size
  std::optional<std::int64_t> index, count;
};

void add_array_options(CLI::App& command, ModelOptions& options);
void add_model_options(CLI::App& command, ModelOptions& options);
void add_input_options(CLI::App& command, InputTexts& texts);

/// Throws Error (Usage).
InputOptions parse_input_options(const InputTexts& texts);

}  // namespace espalier::tools

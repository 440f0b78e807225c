// `espalier run --exits`: every sample as far as the exit that answers it.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "console.hpp"
#include "espalier/driver/device.hpp"
#include "run/exit_session.hpp"
#include "run_inputs.hpp"

namespace espalier::tools {

struct ExitTexts {
  std::string exits;   // thresholds, or a file of exits; empty: the network has no exits
  std::string policy;  // of the file; empty: the first
};

void add_exit_options(CLI::App& command, ExitTexts& texts);

/// The class of each of `count` samples from item `first` on: one-dimensional IDX or .npy. Throws Error (Input).
std::vector<std::int64_t> read_answers(const std::string& path, std::int64_t first, std::size_t count);

/// Index of the largest logit, the first of equal ones.
std::int64_t answer_of(std::span<const std::int8_t> logits);

/// A network with exits on a device.
struct ExitJob {
  const run::Executable& executable;
  const std::vector<RunInput>& inputs;
  std::vector<std::int64_t> answers;  // none: not known
  driver::Device& device;
  run::Settings settings;
};

/// Runs all samples and reports each, and per exit its share, accuracy and cycles. Throws as ExitSession.
void run_with_exits(const ExitTexts& texts, const ExitJob& job, Console& console);

}  // namespace espalier::tools

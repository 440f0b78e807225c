// `espalier run --remote`: on a server, or shared between a server and a device under a deadline.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model_loader.hpp"
#include "run/session.hpp"
#include "run_inputs.hpp"

namespace espalier::tools {

struct RemoteOptions {
  std::string address;      // HOST:PORT; empty: not used
  std::string model;        // name on the server; empty: the file's
  std::string version;      // empty: the one in service
  std::string deadline;     // "5ms"; empty: none
  std::string token_file;   // one line
  std::string authority;    // PEM file; TLS is used if there is one
  std::string certificate;  // PEM file, for servers that ask for one
  std::string key;
  std::optional<double> clock;  // of the device, MHz
  double dilate = 1;            // of the device's times
};

void add_remote_options(CLI::App& command, RemoteOptions& options);

struct RemoteRun {
  const run::Executable& executable;
  const std::vector<RunInput>& inputs;
  run::Session* session;  // of the local device; none without a deadline
  const CompileSettings& settings;
};

/// Runs every input and reports. Throws Error as the client does; Error (Timeout) if no answer can be given in time.
void run_on_server(const RemoteOptions& options, const RemoteRun& run, Console& console);

/// "5ms", "250us", "1.5s" or "90000ns". Throws Error (Usage) naming `option`.
std::int64_t parse_duration(const std::string& text, const std::string& option);

}  // namespace espalier::tools

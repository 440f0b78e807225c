#include "command_line.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "esp_error.hpp"
#include "exit_code.hpp"

namespace espalier::tools {
namespace {

constexpr const char* Examples = R"(Examples:
  espalier inspect network.onnx
  espalier compile network.onnx --calibrate samples.npy --array 16x16 -o network.esp
  espalier run network.esp --input image.png --device rtl --report report.html
  espalier bench layer "conv ic64 ih56 iw56 oc64 kh3 kw3 ph1 pw1 density0.25 int8" --device rtl --json
  espalier verify network.esp --devices functional,rtl
  espalier plan problem.json --algorithm all --deadline 5ms
  espalier serve digits=digits.esp --port 8001
  espalier conformance --operators
  espalier devices

)";

// What to do about an error that does not say it itself.
std::string usual_action(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage:
    case ErrorCode::Input:
      return "see espalier --help";
    case ErrorCode::Model:
    case ErrorCode::Unsupported:
      return "export the model again";
    case ErrorCode::Program:
      return "compile the model again";
    case ErrorCode::Device:
    case ErrorCode::Timeout:
      return "run again; if it stays, try --device functional";
    case ErrorCode::Mismatch:
    case ErrorCode::Internal:
      break;
  }
  return "report this with the command used";
}

// Every error that leaves the program says what, where and what to do.
int fail(Console& console, const Error& error) {
  if (!error.where().empty() && !error.action().empty()) {
    console.error(error);
    return exit_code(error.code());
  }
  console.error({error.code(), error.summary(), error.where().empty() ? "espalier" : error.where(), error.value(),
                 error.action().empty() ? usual_action(error.code()) : error.action()});
  return exit_code(error.code());
}

// The command named in a usage error, for the pointer to its help.
std::string help_of(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) return "see espalier " + command->get_name() + " --help";
  return "see espalier --help";
}

// The word that stands where a command should, if it is none.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* at = &app;
  for (const std::string& word : arguments) {
    if (word.starts_with("-")) return {};
    const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
    const auto named = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* command) { return command->get_name() == word; });
    if (named == commands.end()) {
      const bool takes_words =
          !at->get_options([](const CLI::Option* option) { return option->get_positional(); }).empty();
      return takes_words || commands.empty() ? std::string() : word;
    }
    at = *named;
  }
  return {};
}

int parse_and_run(CLI::App& app, std::vector<std::string> arguments, Console& console, std::ostream& out) {
  if (const std::string word = unknown_command(app, arguments); !word.empty())
    return fail(console, Error(ErrorCode::Usage, "no such command", "command line", word, "see espalier --help"));
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
    return 0;
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << "\n";
    return 0;
  } catch (const CLI::CallForHelp&) {
    // The help of the command that was named, or of the program.
    const CLI::App* shown = &app;
    while (!shown->get_subcommands().empty()) shown = shown->get_subcommands().front();
    out << shown->help();
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(console, Error(ErrorCode::Usage, error.what(), "command line", {}, help_of(app)));
  }
}

}  // namespace

void add_console_options(CLI::App& command, Console& console) {
  command.add_flag("--json", console.json, "print the report, or the error, as JSON on standard output");
  command.add_flag("-q,--quiet", console.quiet, "no progress on standard error");
}

int run_command_line(std::span<const char* const> arguments, std::ostream& out, std::ostream& err) {
  Console console(out, err);
  // Known before parsing, so that errors of parsing are reported in the form that was asked for.
  console.json = std::any_of(arguments.begin(), arguments.end(),
                             [](const char* argument) { return std::string_view(argument) == "--json"; });
  try {
    CLI::App app("Espalier: pruned, quantised networks on an FPGA accelerator, with cycle counts known before they run",
                 "espalier");
    app.set_version_flag("--version", "espalier " ESPALIER_VERSION);
    app.footer(std::string(Examples) + ExitCodeHelp);
    app.require_subcommand(1);
    add_inspect(app, console);
    add_compile(app, console);
    add_run(app, console);
    add_serve(app, console);
    add_bench(app, console);
    add_plan(app, console);
    add_verify(app, console);
    add_conformance(app, console);
    add_exits(app, console);
    add_devices(app, console);
    add_demo(app, console);
    return parse_and_run(app, {arguments.begin(), arguments.end()}, console, out);
  } catch (const Error& error) {
    return fail(console, error);
  } catch (const std::bad_alloc&) {
    return fail(console, Error(ErrorCode::Internal, "out of memory", "espalier", {}, "use a machine with more memory"));
  } catch (const std::exception& error) {
    return fail(console, Error(ErrorCode::Internal, error.what(), "espalier", {}, "report this with the command used"));
  }
}

}  // namespace espalier::tools

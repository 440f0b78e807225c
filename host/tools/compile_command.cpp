#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "compress/onnx_export.hpp"
#include "esp_error.hpp"
#include "model_loader.hpp"
#include "run/executable_file.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

struct CompileOptions {
  ModelOptions model;
  InputTexts input_texts;
  std::string output;
  std::string quantised;
};

// The network as it is compiled, in ONNX: whoever imports it gets the same integers without calibration.
void export_quantised(const CompileOptions& options, const InputOptions& inputs, Console& console) {
  QuantisedModel model = import_model(options.model, inputs, console);
  compress::export_onnx({std::move(model.network), std::move(model.ports.inputs), std::move(model.ports.outputs)},
                        options.quantised);
  console.progress("wrote " + options.quantised);
}

void execute(const CompileOptions& options, Console& console) {
  if (is_compiled_file(options.model.path))
    throw Error(ErrorCode::Usage, "the file is compiled already", options.model.path, {}, "give an ONNX file");
  const CompileSettings settings = parse_compile_settings(options.model);
  const InputOptions inputs = parse_input_options(options.input_texts);
  if (!options.quantised.empty()) export_quantised(options, inputs, console);
  const LoadedModel model = load_model(options.model, inputs, console);
  const std::filesystem::path path = options.output.empty()
                                         ? std::filesystem::path(options.model.path).replace_extension(".esp")
                                         : std::filesystem::path(options.output);
  run::save(model.executable, path.string());

  const run::RunReport report = run::predicted_report(model.executable, "none", settings.memory);
  Json json = document("compile");
  add_report(json, report);
  json.erase("outputs");
  json["file"] = path.string();
  json["file_bytes"] = std::filesystem::file_size(path);
  json["program_bytes"] = model.executable.compiled.program.image.size();
  json["commands"] = model.executable.compiled.program.command_count;
  console.report(json, layer_table(report) + fmt::format("\nwrote {}: {} bytes, {} commands\n", path.string(),
                                                         grouped(std::filesystem::file_size(path)),
                                                         model.executable.compiled.program.command_count));
}

}  // namespace

void add_compile(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("compile", "compile an ONNX network into a file a device can run");
  const auto options = std::make_shared<CompileOptions>();
  add_model_options(*command, options->model);
  add_input_options(*command, options->input_texts);
  command->add_option("-o,--output", options->output, "compiled file; default: the model's name with .esp");
  command->add_option("--quantised", options->quantised, "also write the quantised network to this ONNX file");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier compile network.onnx --array 16x16 -o network.esp\n"
      "  espalier compile network.onnx --calibrate images.idx3-ubyte --array 8x8 --json\n"
      "  espalier compile network.onnx --calibrate images.idx3-ubyte --quantised network_int8.onnx\n"
      "  espalier compile network.onnx --calibrate a.png b.png --resize --weights sparse");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools

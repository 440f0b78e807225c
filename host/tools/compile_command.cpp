#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "compress/onnx_export.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "html_report.hpp"
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
  std::string report;
};

// The network as it is compiled, in ONNX: whoever imports it gets the same integers without calibration.
void export_quantised(const QuantisedModel& model, const std::string& file, Console& console) {
  compress::export_onnx({model.network, model.ports.inputs, model.ports.outputs}, file);
  console.progress("wrote " + file);
}

// Cycles from the start of the first stage to each exit.
Json stages_json(const run::Executable& executable) {
  Json stages = Json::array();
  std::uint64_t cycles = 0;
  for (std::size_t i = 0; i < executable.compiled.stages.size(); ++i) {
    const compile::Stage& stage = executable.compiled.stages[i];
    cycles += stage.cycles;
    stages.push_back({{"exit", executable.ports.outputs[i].name}, {"layers", stage.layers}, {"cycles", cycles}});
  }
  return stages;
}

void execute(CompileOptions options, Console& console) {
  if (is_compiled_file(options.model.path))
    throw Error(ErrorCode::Usage, "the file is compiled already", options.model.path, {}, "give an ONNX file");
  const CompileSettings settings = parse_compile_settings(options.model);
  const InputOptions inputs = parse_input_options(options.input_texts);
  QuantisationTexts& texts = options.model.quantisation;
  texts.noise_samples = texts.noise_samples.value_or(AutomaticNoise);
  const QuantisedModel model = import_model(options.model, inputs, console);
  if (!options.quantised.empty()) export_quantised(model, options.quantised, console);
  const run::Executable executable = compile_model(model, settings, console);
  const std::filesystem::path path = options.output.empty()
                                         ? std::filesystem::path(options.model.path).replace_extension(".esp")
                                         : std::filesystem::path(options.output);
  run::save(executable, path.string());

  const run::RunReport report = run::predicted_report(executable, "none", settings.memory);
  Json json = document("compile");
  add_report(json, report);
  json.erase("outputs");
  json["quantisation"] = quantisation_json(model.quantisation);
  json["file"] = path.string();
  json["file_bytes"] = std::filesystem::file_size(path);
  json["program_bytes"] = executable.compiled.program.image.size();
  json["commands"] = executable.compiled.program.command_count;
  if (!executable.compiled.stages.empty()) json["stages"] = stages_json(executable);
  if (!options.report.empty()) {
    write_file(
        options.report,
        html_report(
            {"Espalier: " + executable.name, report, {}, {}, settings.memory, quantisation_html(model.quantisation)}));
    console.progress("wrote " + options.report);
  }
  console.report(json,
                 layer_table(report) + "\n" + quantisation_text(model.quantisation) +
                     fmt::format("\nwrote {}: {} bytes, {} commands\n", path.string(),
                                 grouped(std::filesystem::file_size(path)), executable.compiled.program.command_count));
}

}  // namespace

void add_compile(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("compile", "compile an ONNX network into a file a device can run");
  const auto options = std::make_shared<CompileOptions>();
  add_model_options(*command, options->model);
  add_input_options(*command, options->input_texts);
  command->add_option("-o,--output", options->output, "compiled file; default: the model's name with .esp");
  command->add_option("--quantised", options->quantised, "also write the quantised network to this ONNX file");
  command->add_flag("--exits", options->model.exits,
                    "the outputs are exits, in order of depth: compile in stages, for run --exits");
  command->add_option("--report", options->report, "write an HTML report to this file");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier compile network.onnx --array 16x16 -o network.esp\n"
      "  espalier compile network.onnx --calibrate images.idx3-ubyte --array 8x8 --json\n"
      "  espalier compile network.onnx --calibrate images.idx3-ubyte --quantised network_int8.onnx\n"
      "  espalier compile network.onnx --calibrate photos --resize --calibration entropy --bias-correction --report "
      "q.html\n"
      "  espalier compile network.onnx --calibrate samples.npy --weight-bits 4.5\n"
      "  espalier compile digits_exits.onnx --exits -o digits_exits.esp\n"
      "  espalier compile network.onnx --calibrate a.png b.png --resize --weights sparse");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools

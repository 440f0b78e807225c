#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "backends.hpp"
#include "commands.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "html_report.hpp"
#include "model_loader.hpp"
#include "run_inputs.hpp"
#include "run_remote.hpp"
#include "soc_backend.hpp"
#include "table.hpp"
#include "traffic_report.hpp"

namespace espalier::tools {
namespace {

struct RunOptions {
  ModelOptions model;
  InputTexts input_texts;
  std::vector<std::string> inputs;
  std::string device = "functional";
  std::string report;
  double stall = 0;
  std::string waves;
  std::string trace;
  std::string xclbin;
  std::uint32_t timeout = 1000000;
  RemoteOptions remote;
};

std::string output_text(const run::Output& output) {
  std::string text = fmt::format("output {} {} {}:", output.name, output.type, model::to_string(output.shape));
  std::vector<std::size_t> order(output.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t shown = std::min<std::size_t>(order.size(), 5);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return output.values[a] != output.values[b] ? output.values[a] > output.values[b] : a < b;
                    });
  for (std::size_t i = 0; i < shown; ++i) text += fmt::format("  [{}] {:.6g}", order[i], output.values[order[i]]);
  return text + (order.size() > shown ? "  ...\n" : "\n");
}

void execute(const RunOptions& options, Console& console) {
  const DeviceChoice device_choice = parse_device(options.device);
  const InputOptions input_options = parse_input_options(options.input_texts);
  const CompileSettings settings = parse_compile_settings(options.model);
  LoadedModel model = load_model(options.model, input_options, console);
  const std::vector<RunInput> inputs =
      read_run_inputs(options.inputs, input_shapes(model.executable.ports), input_options, "--input");

  if (!options.remote.address.empty() && options.remote.deadline.empty()) {
    run_on_server(options.remote, {model.executable, inputs, nullptr, settings}, console);
    return;
  }
  if (options.remote.address.empty() && !options.remote.deadline.empty())
    throw Error(ErrorCode::Usage, "a deadline is kept between a server and this device", "--deadline",
                options.remote.deadline, "add --remote HOST:PORT");
  BackendOptions backend;
  backend.device = device_choice;
  backend.configuration = model.executable.compiled.configuration;
  set_memory(backend, settings);
  backend.stall = options.stall;
  backend.waves = options.waves;
  backend.trace = options.trace;
  backend.progress = [&console](std::uint64_t cycles) { console.progress(grouped(cycles) + " cycles"); };
  backend.xclbin = options.xclbin;
  console.progress("opening " + device_text(device_choice));
  const std::unique_ptr<driver::Bus> bus = open_bus(backend);
  driver::Device device(*bus);
  driver::Limits limits;
  limits.timeout_cycles = options.timeout;
  run::Session session(device, model.executable, {device_text(device_choice), settings.memory, limits});

  if (!options.remote.address.empty()) {
    run_on_server(options.remote, {model.executable, inputs, &session, settings}, console);
    return;
  }
  std::vector<run::RunReport> reports;
  for (const RunInput& input : inputs) {
    console.progress("running " + input.name);
    reports.push_back(session.run(input.values));
  }

  Json json = document("run");
  add_report(json, reports.front());
  json["outputs"] = Json::array();
  json["samples"] = Json::array();
  std::string text;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    for (const run::Output& output : reports[i].outputs) {
      json["outputs"].push_back(output_json(output));
      json["outputs"].back()["sample"] = i;
      text += (reports.size() > 1 ? inputs[i].name + ": " : "") + output_text(output);
    }
    json["samples"].push_back({{"name", inputs[i].name},
                               {"predicted_cycles", reports[i].totals.predicted_cycles},
                               {"measured_cycles", cycles_json(reports[i].totals.measured_cycles)}});
  }
  if (!options.report.empty()) {
    write_file(options.report,
               html_report({"Espalier: " + model.executable.name, reports.front(), {}, {}, settings.memory}));
    console.progress("wrote " + options.report);
  }
  text += "\n" + layer_table(reports.front());
  if (const std::optional<soc::Report> traffic = traffic_of(*bus)) {
    json["traffic"] = traffic_json(*traffic);
    text += "\n" + traffic_table(*traffic);
  }
  console.report(json, text);
}

}  // namespace

void add_run(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("run", "run a network on a device");
  const auto options = std::make_shared<RunOptions>();
  add_model_options(*command, options->model);
  command->add_option("-i,--input", options->inputs, "files: .npy, .pb (TensorProto), IDX, PNG or JPEG")->required();
  add_input_options(*command, options->input_texts);
  command->add_option("-d,--device", options->device, "functional, rtl, soc, soc-rtl, xrt or xrt:N")
      ->capture_default_str();
  command->add_option("--report", options->report, "write an HTML report to this file");
  command->add_option("--stall", options->stall,
                      "probability per cycle that the memory of the RTL pauses: same bits, more cycles than predicted");
  command->add_option("--waves", options->waves, "write waveforms (FST) of the RTL to this file");
  command->add_option("--trace", options->trace, "write a Chrome trace of the bursts of soc or soc-rtl to this file");
  command->add_option("--xclbin", options->xclbin, "image for XRT; default: the one built for the array");
  command
      ->add_option("--timeout", options->timeout, "cycles without progress after which the device gives up; 0: never")
      ->capture_default_str();
  add_remote_options(*command, options->remote);
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier run network.onnx --calibrate samples.npy --input x.npy --device functional --json\n"
      "  espalier run network.esp --input cat.jpg --resize --mean 123.7,116.3,103.5 --scale 0.0171,0.0175,0.0174\n"
      "  espalier run digits.esp --input images.idx3-ubyte --index 5 --count 3 --device xrt:0 --report report.html\n"
      "  espalier run network.esp --input x.npy --device rtl --waves run.fst\n"
      "  espalier run digits.esp --input images.idx3-ubyte --remote 127.0.0.1:8001 --deadline 20ms\n\n"
      "--device xrt uses the card that XILINX_XRT points to; without it, the simulated card of the build.");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools

#include "bench_network.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "backends.hpp"
#include "commands.hpp"
#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "html_report.hpp"
#include "model_loader.hpp"
#include "network_report.hpp"
#include "options.hpp"
#include "soc_backend.hpp"
#include "synthetic_network.hpp"
#include "table.hpp"
#include "traffic_report.hpp"

namespace espalier::tools {
namespace {

struct NetworkOptions {
  ModelOptions model;
  SyntheticNetwork network;
  std::optional<double> clock;  // MHz
  std::string trace;
  std::string device;  // empty: prediction only
  unsigned threads = 0;
  int batch = 1;
  std::size_t worst = 10;
  std::string report;
};

/// Runs the network on every input of the batch, one after the other, and compares the outputs with the CPU
/// reference's. Rows and totals are those of the first run.
NetworkReport run_on_device(const NetworkOptions& options, const CompileSettings& settings,
                            const model::Network& network, const run::Executable& executable, Console& console) {
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = executable.compiled.configuration;
  set_memory(backend, settings);
  backend.trace = options.trace;
  backend.progress = [&console](std::uint64_t cycles) { console.progress(grouped(cycles) + " cycles"); };
  const std::unique_ptr<driver::Bus> bus = open_bus(backend);
  driver::Device device(*bus);
  run::Session session(device, executable, {device_text(backend.device), settings.memory, {}});
  cpu::FastExecutor reference(network);
  zoo::Random random(options.network.zoo.seed);
  std::optional<NetworkReport> report;
  for (int item = 0; item < options.batch; ++item) {
    const std::vector<cpu::Tensor> inputs = random_inputs(network, random);
    const std::string of_batch = options.batch == 1 ? "" : fmt::format(", input {} of {}", item + 1, options.batch);
    console.progress("CPU reference" + of_batch);
    const std::vector<cpu::Tensor> features = reference.run(inputs);
    console.progress(fmt::format("running {} cycles on {}{}", grouped(session.predicted().totals.predicted_cycles),
                                 device.name(), of_batch));
    run::FeatureRun result = session.run_features(inputs);
    const bool exact = result.features.front() == features[static_cast<std::size_t>(network.outputs.front())];
    if (!report) report = network_report(executable.compiled, result.report, machine_clock(options.clock, settings));
    report->add_run(result.report.totals, exact);
  }
  report->traffic = traffic_of(*bus);
  return *report;
}

Json head(const NetworkOptions& options, const CompileSettings& settings, const run::Executable& executable) {
  Json json = document("bench network");
  add_synthetic_network(json, options.network);
  json["batch"] = options.batch;
  json["device"] = options.device.empty() ? Json(nullptr) : Json(device_text(parse_device(options.device)));
  json["array"] = array_text(executable.compiled.configuration);
  json["memory"] = memory_json(settings);
  json["clock_mhz"] = machine_clock(options.clock, settings);
  return json;
}

void bench_network(const NetworkOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  if (!options.device.empty()) parse_device(options.device);
  machine_clock(options.clock, settings);
  const model::Network network = build(options.network, console);
  const run::Executable executable = compile_synthetic(network, settings, options.threads, console);
  NetworkReport report = options.device.empty() ? network_report(executable.compiled, run::compiled_report(executable),
                                                                 machine_clock(options.clock, settings))
                                                : run_on_device(options, settings, network, executable, console);

  report.batch = options.batch;

  Json json = head(options, settings, executable);
  add_network_report(json, report);
  const run::Totals& totals = report.run.totals;
  const auto used = [&](std::int64_t macs) {
    return percent(run::utilisation(macs, report.cycles(), report.run.configuration));
  };
  std::string text = network_table(report) + "\n";
  if (options.worst > 0) text += worst_table(report, options.worst) + "\n";
  text += fmt::format(
      "{} at density {} ({}) on {}: predicted {} cycles, measured {}, MACs {} of the array, non-zero {}, "
      "{:.1f} frames per second at {} MHz{}\n",
      options.network.name, options.network.zoo.density, options.network.pattern, array_text(report.run.configuration),
      grouped(totals.predicted_cycles), cycles_text(totals.measured_cycles), used(totals.macs),
      used(totals.nonzero_macs), report.frames_per_second(), report.clock,
      !report.bit_exact ? "" : (*report.bit_exact ? ", bits exact" : ", bits DIFFERENT"));
  text += lost_share_text(report);
  if (report.traffic) text += "\n" + traffic_table(*report.traffic);
  if (options.batch > 1)
    text += fmt::format("batch of {}: predicted {} cycles, measured {}\n", options.batch,
                        grouped(report.batch_predicted_cycles()), cycles_text(report.batch_measured_cycles));
  if (!options.report.empty()) {
    const std::string title =
        fmt::format("Espalier: {} at density {}", options.network.name, options.network.zoo.density);
    write_file(options.report, html_report({title, report.run, {}, {}, settings.memory}));
    console.progress("wrote " + options.report);
  }
  console.report(json, text);
  if (report.bit_exact && !*report.bit_exact)
    throw Error(ErrorCode::Mismatch, "outputs differ from the CPU reference", options.network.name);
}

}  // namespace

void add_bench_network(CLI::App& bench, Console& console) {
  CLI::App* command = bench.add_subcommand("network",
                                           "a published network with synthetic pruned weights: cycles, "
                                           "utilisation and bytes of every layer");
  const auto options = std::make_shared<NetworkOptions>();
  add_synthetic_network_options(*command, options->network);
  add_array_options(*command, options->model);
  command
      ->add_option("--clock", options->clock,
                   "of the machine in MHz, for frames per second; default that of --memory, or 300")
      ->check(CLI::Range(1.0, 10000.0));
  command->add_option("-d,--device", options->device,
                      "run it on functional, rtl, soc, soc-rtl, xrt or xrt:N and compare; default: predict only");
  command->add_option("--trace", options->trace, "write a Chrome trace of the bursts of soc or soc-rtl to this file");
  command->add_option("--report", options->report, "write an HTML report to this file");
  command->add_option("--batch", options->batch, "inputs, run one after the other with one program")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "that compile; default: one per processor")
      ->check(CLI::Range(1, 256));
  command->add_option("--worst", options->worst, "rows of the table of lost cycles")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier bench network resnet50 --density 0.25 --array 16x16 --memory bytes=64,latency=40 --clock 300 --json\n"
      "  espalier bench network mobilenet_v1 --width 0.25 --resolution 96 --device rtl\n"
      "  espalier bench network resnet50 --array 32x32 --device soc --memory ddr4-2400@300 --json\n"
      "  espalier bench network vgg16 --pattern 2:4 --fully-connected");
  command->callback([options, &console] { bench_network(*options, console); });
}

}  // namespace espalier::tools

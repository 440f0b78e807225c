#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "backends.hpp"
#include "bench_cores.hpp"
#include "bench_cpu.hpp"
#include "bench_levers.hpp"
#include "bench_network.hpp"
#include "bench_peers.hpp"
#include "bench_spmm.hpp"
#include "commands.hpp"
#include "esp_error.hpp"
#include "layer_case.hpp"
#include "model_loader.hpp"
#include "soc_backend.hpp"
#include "table.hpp"
#include "traffic_report.hpp"

namespace espalier::tools {
namespace {

struct BenchOptions {
  ModelOptions model;
  std::string layer = "conv ic64 ih56 iw56 oc64 kh3 kw3 ph1 pw1";
  std::string device = "rtl";
  std::uint64_t seed = 1;
  double stall = 0;
  std::string waves;
  std::string trace;
  std::string xclbin;
};

std::unique_ptr<driver::Bus> open_device(const BenchOptions& options, const CompileSettings& settings) {
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = settings.array.value_or(abi::Array16x16);
  set_memory(backend, settings);
  backend.stall = options.stall;
  backend.waves = options.waves;
  backend.trace = options.trace;
  backend.xclbin = options.xclbin;
  return open_bus(backend);
}

void bench_layer(const BenchOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  const DeviceChoice choice = parse_device(options.device);
  const LayerCase layer = make_layer_case(options.layer, options.seed, settings, console);
  const std::unique_ptr<driver::Bus> bus = open_device(options, settings);
  driver::Device device(*bus);
  run::Session session(device, layer.executable, {device_text(choice), settings.memory, {}});
  console.progress("running on " + device.name());
  const run::FeatureRun result = session.run_features(layer.inputs);

  const run::RunReport& report = result.report;
  const run::Totals& totals = report.totals;
  const std::uint64_t cycles = totals.measured_cycles.value_or(totals.predicted_cycles);
  const bool exact = result.features.front() == layer.expected;
  Json json = document("bench layer");
  json["layer"] = options.layer;
  json["device"] = device_text(choice);
  json["array"] = array_text(report.configuration);
  json["memory"] = memory_json(settings);
  json["macs"] = totals.macs;
  json["nonzero_macs"] = totals.nonzero_macs;
  json["predicted_cycles"] = totals.predicted_cycles;
  json["measured_cycles"] = cycles_json(totals.measured_cycles);
  json["mac_utilisation"] = run::utilisation(totals.macs, cycles, report.configuration);
  json["nonzero_utilisation"] = run::utilisation(totals.nonzero_macs, cycles, report.configuration);
  json["bit_exact"] = exact;
  Json rows;
  add_report(rows, report);
  json["bound"] = report.layers.size() > 1 ? report.layers[1].bound : "";
  json["lower_bound_cycles"] = report.layers.size() > 1 ? report.layers[1].lower_bound_cycles : 0;
  json["layers"] = rows["layers"];
  if (rows.contains("causes")) json["causes"] = rows["causes"];
  json["dram_read_bytes"] = totals.dram_read_bytes;
  json["dram_write_bytes"] = totals.dram_write_bytes;
  json["weight_format"] = report.layers.size() > 1 ? report.layers[1].weight_format : "";
  json["weight_bytes"] = totals.weight_bytes;
  json["code_table_bytes"] = totals.code_table_bytes;
  json["weight_alignment_bytes"] = totals.weight_alignment_bytes;
  json["weight_entropy_bytes"] = totals.weight_entropy_bytes;
  json["natural_entropy_bytes"] = totals.natural_entropy_bytes;
  std::string text = fmt::format(
      "{}\n  {} {}: predicted {} cycles, measured {}, MACs {} of the array, non-zero {}, bits {}\n", options.layer,
      device_text(choice), array_text(report.configuration), grouped(totals.predicted_cycles),
      cycles_text(totals.measured_cycles), percent(run::utilisation(totals.macs, cycles, report.configuration)),
      percent(run::utilisation(totals.nonzero_macs, cycles, report.configuration)), exact ? "exact" : "DIFFERENT");
  if (const std::optional<soc::Report> traffic = traffic_of(*bus)) {
    json["traffic"] = traffic_json(*traffic);
    text += "\n" + traffic_table(*traffic);
  }
  console.report(json, text);
  if (!exact)
    throw Error(ErrorCode::Mismatch, "outputs differ from the CPU reference", options.layer,
                "seed " + std::to_string(options.seed), "report this with the command used");
}

// Cycles of the machine per second of processor time, over enough runs to last two seconds.
void bench_simulator(BenchOptions options, Console& console) {
  options.device = "rtl";
  const CompileSettings settings = parse_compile_settings(options.model);
  const LayerCase layer = make_layer_case(options.layer, options.seed, settings, console);
  const std::unique_ptr<driver::Bus> bus = open_device(options, settings);
  driver::Device device(*bus);
  run::Session session(device, layer.executable, {"rtl", settings.memory, {}});
  std::uint64_t cycles = 0;
  std::uint64_t runs = 0;
  const std::clock_t begin = std::clock();
  double seconds = 0;
  do {
    cycles += session.run_features(layer.inputs).report.totals.measured_cycles.value_or(0);
    ++runs;
    seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  } while (seconds < 2.0);
  const double rate = static_cast<double>(cycles) / seconds;
  Json json = document("bench simulator");
  json["layer"] = options.layer;
  json["array"] = array_text(device.configuration());
  json["runs"] = runs;
  json["cycles"] = cycles;
  json["cpu_seconds"] = seconds;
  json["cycles_per_cpu_second"] = rate;
  console.report(json, fmt::format("{} cycles in {:.2f} CPU seconds: {} cycles per CPU second ({}, {})\n",
                                   grouped(cycles), seconds, grouped(static_cast<std::uint64_t>(rate)),
                                   array_text(device.configuration()), options.layer));
}

}  // namespace

void add_bench(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand(
      "bench", "measure one layer, a whole network, peers' layers, a sparse matrix, or the simulator itself");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  espalier bench layer \"conv ic64 ih56 oc64 kh3 ph1\" --device rtl --array 16x16\n"
      "  espalier bench network resnet50 --density 0.25\n"
      "  espalier bench peers --json\n"
      "  espalier bench spmm pruned.mtx --device functional\n"
      "  espalier bench simulator --array 16x16 --json");

  const auto options = std::make_shared<BenchOptions>();
  CLI::App* layer =
      command->add_subcommand("layer", "one synthetic layer: predicted and measured cycles, utilisation, bits");
  layer
      ->add_option("LAYER", options->layer,
                   "a line such as \"conv ic64 ih56 iw56 oc64 kh3 kw3 sh1 sw1 ph1 pw1 dh1 dw1 g1 density0.25 int8\"; "
                   "with pattern2:4, block4x4 or pattern4of9 zeros lie in a structure; also fc (batch16: 16 inputs at "
                   "once), maxpool, avgpool, gmaxpool, gavgpool, add, concat, requantise")
      ->required();
  add_array_options(*layer, options->model);
  layer->add_option("-d,--device", options->device, "functional, rtl, soc, soc-rtl, xrt or xrt:N")
      ->capture_default_str();
  layer->add_option("--seed", options->seed, "of weights and inputs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  layer->add_option("--stall", options->stall,
                    "probability per cycle that the memory of the RTL pauses: same bits, more cycles than predicted");
  layer->add_option("--waves", options->waves, "write waveforms (FST) of the RTL to this file");
  layer->add_option("--trace", options->trace, "write a Chrome trace of the bursts of soc or soc-rtl to this file");
  layer->add_option("--xclbin", options->xclbin, "image for XRT; default: the one built for the array");
  add_console_options(*layer, console);
  layer->footer(
      "Examples:\n"
      "  espalier bench layer \"conv ic64 ih56 iw56 oc64 kh3 kw3 ph1 pw1 density0.25 int8\" --device rtl \\\n"
      "      --array 16x16 --memory bytes=64,latency=40 --json\n"
      "  espalier bench layer \"conv ic64 ih56 oc64 g64 kh3 ph1\" --array 8x8\n"
      "  espalier bench layer \"conv ic256 ih14 oc256 kh3 ph1 block4x4 density0.25\" --device functional\n"
      "  espalier bench layer \"fc ic512 oc10 density0.1 batch16\"");
  layer->callback([options, &console] { bench_layer(*options, console); });

  CLI::App* simulator = command->add_subcommand("simulator", "cycles per CPU second of the RTL simulation");
  add_array_options(*simulator, options->model);
  simulator->add_option("--layer", options->layer, "the layer that is run")->capture_default_str();
  add_console_options(*simulator, console);
  simulator->footer("Examples:\n  espalier bench simulator\n  espalier bench simulator --array 8x8 --json");
  simulator->callback([options, &console] { bench_simulator(*options, console); });

  add_bench_network(*command, console);
  add_bench_cores(*command, console);
  add_bench_peers(*command, console);
  add_bench_spmm(*command, console);
  add_bench_cpu(*command, console);
  add_bench_levers(*command, console);
}

}  // namespace espalier::tools

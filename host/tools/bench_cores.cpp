#include "bench_cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends.hpp"
#include "commands.hpp"
#include "compile/timing/predict.hpp"
#include "esp_error.hpp"
#include "espalier/driver/device.hpp"
#include "options.hpp"
#include "soc_backend.hpp"
#include "synthetic_network.hpp"
#include "table.hpp"
#include "traffic_report.hpp"

namespace espalier::tools {
namespace {

constexpr unsigned MostCores = 16;

struct CoresOptions {
  ModelOptions model;
  SyntheticNetwork network;
  unsigned cores = 2;
  std::optional<double> clock;  // MHz
  std::string trace;
  std::string device;  // empty: prediction only
  unsigned threads = 0;
};

struct CoreResult {
  compile::Prediction predicted;
  std::optional<std::uint32_t> measured;
  std::optional<run::Causes> causes;  // measured
  std::optional<bool> bit_exact;
};

struct CoresReport {
  std::uint64_t alone = 0;  // predicted cycles of one core that has the memory to itself
  std::vector<CoreResult> cores;
  std::int64_t macs = 0;  // of one frame
  abi::Configuration configuration;
  double clock = 300;
  std::optional<soc::Report> traffic;  // of a platform

  /// Until the last core is done, as predicted.
  std::uint64_t predicted() const {
    std::uint64_t most = 0;
    for (const CoreResult& core : cores) most = std::max<std::uint64_t>(most, core.predicted.cycles);
    return most;
  }
  /// The same as measured; none if they were not run.
  std::optional<std::uint64_t> measured() const {
    std::optional<std::uint64_t> most;
    for (const CoreResult& core : cores)
      if (core.measured) most = std::max<std::uint64_t>(most.value_or(0), *core.measured);
    return most;
  }
  std::uint64_t cycles() const { return measured().value_or(predicted()); }
  double frames_per_second() const {
    return static_cast<double>(cores.size()) * clock * 1e6 / static_cast<double>(cycles());
  }
  double speed_up() const { return static_cast<double>(cores.size() * alone) / static_cast<double>(cycles()); }
  double utilisation() const { return run::utilisation(macs, cycles(), configuration); }
};

/// Every core gets an input of its own; all start in the same cycle.
void run_cores(CoresReport& report, const CoresOptions& options, const CompileSettings& settings,
               const model::Network& network, const compile::Compiled& compiled, Console& console) {
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = compiled.configuration;
  set_memory(backend, settings);
  backend.trace = options.trace;
  backend.progress = [&console](std::uint64_t cycles) { console.progress(grouped(cycles) + " cycles"); };
  const std::unique_ptr<Cores> cores = open_cores(backend, options.cores);
  cpu::FastExecutor reference(network);
  zoo::Random random(options.network.zoo.seed);
  std::vector<driver::Loaded> loaded;
  std::vector<cpu::Tensor> expected;
  const compile::DeviceProgram& program = compiled.program;
  for (unsigned i = 0; i < options.cores; ++i) {
    const std::vector<cpu::Tensor> inputs = random_inputs(network, random);
    expected.push_back(reference.run(inputs)[static_cast<std::size_t>(network.outputs.front())]);
    driver::Device device(cores->core(i));
    loaded.push_back(device.load({program.image, program.command_offset, program.command_count, program.input_bytes,
                                  program.output_bytes, program.arena_bytes, 0}));
    loaded.back().start(compile::pack(compiled, inputs));
  }
  console.progress(fmt::format("running {} cycles on {} cores", grouped(report.cycles()), options.cores));
  for (unsigned i = 0; i < options.cores; ++i) {
    const driver::RunResult result = loaded[i].wait();
    const driver::Counters& c = result.counters;
    report.cores[i].measured = c.cycles;
    report.cores[i].causes = run::Causes{c.computing, c.weights, c.output, c.data, c.writing, c.control};
    report.cores[i].bit_exact = compile::unpack(compiled, result.output).front() == expected[i];
  }
  report.traffic = traffic_of(cores->core(0));
}

run::Causes predicted_causes(const compile::Prediction& p) {
  return {p.computing, p.weights, p.output, p.data, p.writing, p.control};
}

Json causes_json(const run::Causes& c) {
  return {{"computing", c.computing}, {"weights", c.weights}, {"output", c.output},
          {"data", c.data},           {"writing", c.writing}, {"control", c.control}};
}

/// The share of the cycles that each cause other than computing takes.
Json lost_json(const run::Causes& causes, std::uint64_t cycles) {
  Json json = causes_json(causes);
  json.erase("computing");
  for (auto& value : json) value = cycles == 0 ? 0 : value.get<double>() / static_cast<double>(cycles);
  return json;
}

Json to_json(const CoresOptions& options, const CompileSettings& settings, const CoresReport& report) {
  Json json = document("bench cores");
  add_synthetic_network(json, options.network);
  json["device"] = options.device.empty() ? Json(nullptr) : Json(device_text(parse_device(options.device)));
  json["array"] = array_text(report.configuration);
  json["memory"] = memory_json(settings);
  json["clock_mhz"] = report.clock;
  json["cores"] = Json::array();
  for (const CoreResult& core : report.cores) {
    Json row;
    row["predicted_cycles"] = core.predicted.cycles;
    row["measured_cycles"] = core.measured ? Json(*core.measured) : Json(nullptr);
    if (core.causes) {
      row["measured_causes"] = causes_json(*core.causes);
      row["lost_share"] = lost_json(*core.causes, *core.measured);
    }
    row["bit_exact"] = core.bit_exact ? Json(*core.bit_exact) : Json(nullptr);
    row["causes"] = causes_json(predicted_causes(core.predicted));
    json["cores"].push_back(std::move(row));
  }
  json["totals"] = {{"predicted_cycles", report.predicted()},
                    {"measured_cycles", cycles_json(report.measured())},
                    {"alone_cycles", report.alone},
                    {"speed_up", report.speed_up()},
                    {"mac_utilisation", report.utilisation()},
                    {"frames_per_second", report.frames_per_second()}};
  if (report.traffic) json["traffic"] = traffic_json(*report.traffic);
  return json;
}

std::string to_text(const CoresOptions& options, const CoresReport& report) {
  Table table({{"core", Align::Left},
               {"predicted"},
               {"measured"},
               {"computing"},
               {"weights"},
               {"output"},
               {"data"},
               {"writing"},
               {"control"},
               {"bits", Align::Left}});
  for (std::size_t i = 0; i < report.cores.size(); ++i) {
    const CoreResult& core = report.cores[i];
    const run::Causes p = core.causes.value_or(predicted_causes(core.predicted));
    table.add({std::to_string(i), grouped(core.predicted.cycles), cycles_text(core.measured), grouped(p.computing),
               grouped(p.weights), grouped(p.output), grouped(p.data), grouped(p.writing), grouped(p.control),
               !core.bit_exact ? "-" : (*core.bit_exact ? "exact" : "DIFFERENT")});
  }
  return table.text() +
         fmt::format(
             "\n{} at density {} ({}) on {} cores of {}: {} cycles for {} frames, {:.2f} times one core "
             "with the memory "
             "to itself ({} cycles), MACs {} of the arrays, {:.1f} frames per second at {} MHz\n",
             options.network.name, options.network.zoo.density, options.network.pattern, report.cores.size(),
             array_text(report.configuration), grouped(report.cycles()), report.cores.size(), report.speed_up(),
             grouped(report.alone), percent(report.utilisation()), report.frames_per_second(), report.clock) +
         (report.traffic ? "\n" + traffic_table(*report.traffic) : "");
}

/// A DRAM is predicted approximately; with the memory of the contract every cycle must be right.
void check(const CoresOptions& options, const CompileSettings& settings, const CoresReport& report) {
  const bool exact = settings.dram == nullptr || parse_device(options.device).kind == DeviceKind::Rtl;
  for (const CoreResult& core : report.cores) {
    if (core.bit_exact && !*core.bit_exact)
      throw Error(ErrorCode::Mismatch, "outputs differ from the CPU reference", options.network.name);
    if (exact && core.measured && *core.measured != core.predicted.cycles)
      throw Error(ErrorCode::Mismatch, "measured cycles differ from the prediction", options.network.name,
                  grouped(*core.measured) + " for " + grouped(core.predicted.cycles));
  }
}

void bench_cores(const CoresOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  const DeviceKind kind = options.device.empty() ? DeviceKind::Rtl : parse_device(options.device).kind;
  if (kind != DeviceKind::Rtl && kind != DeviceKind::Soc && kind != DeviceKind::SocRtl) {
    throw Error(ErrorCode::Usage, "several cores run in simulations with a clock only", "option --device",
                options.device, "use rtl, soc or soc-rtl, or leave the option out for the prediction");
  }
  const model::Network network = build(options.network, console);
  const run::Executable executable = compile_synthetic(network, settings, options.threads, console);
  const compile::Compiled& compiled = executable.compiled;
  CoresReport report;
  report.configuration = compiled.configuration;
  report.clock = machine_clock(options.clock, settings);
  report.alone = compiled.total_cycles;
  for (const compile::LayerReport& layer : compiled.layers) report.macs += layer.macs;
  for (compile::Prediction& prediction :
       compile::predict_cores(compiled.program, compiled.configuration, settings.memory, options.cores))
    report.cores.push_back({std::move(prediction), {}, {}, {}});
  if (!options.device.empty()) run_cores(report, options, settings, network, compiled, console);
  console.report(to_json(options, settings, report), to_text(options, report));
  check(options, settings, report);
}

}  // namespace

void add_bench_cores(CLI::App& bench, Console& console) {
  CLI::App* command = bench.add_subcommand(
      "cores", "several cores that share one memory, each with a frame of a network: cycles, causes, speed-up");
  const auto options = std::make_shared<CoresOptions>();
  add_synthetic_network_options(*command, options->network);
  command->add_option("--cores", options->cores, "that share the memory")
      ->check(CLI::Range(1U, MostCores))
      ->capture_default_str();
  add_array_options(*command, options->model);
  command
      ->add_option("--clock", options->clock,
                   "of the machine in MHz, for frames per second; default that of --memory, or 300")
      ->check(CLI::Range(1.0, 10000.0));
  command->add_option("-d,--device", options->device,
                      "rtl, soc or soc-rtl: run them and compare; default: predict only");
  command->add_option("--trace", options->trace, "write a Chrome trace of the bursts of soc or soc-rtl to this file");
  command->add_option("--threads", options->threads, "that compile; default: one per processor")
      ->check(CLI::Range(1, 256));
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier bench cores resnet50 --cores 2 --array 16x16 --memory bytes=64,latency=40\n"
      "  espalier bench cores resnet50 --cores 2 --device soc --memory ddr4-2400@300\n"
      "  espalier bench cores resnet8 --density 0.1 --cores 4 --array 8x8 --device rtl --json");
  command->callback([options, &console] { bench_cores(*options, console); });
}

}  // namespace espalier::tools

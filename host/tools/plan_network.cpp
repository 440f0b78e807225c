#include "plan_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "esp_error.hpp"
#include "files.hpp"
#include "model_loader.hpp"
#include "options.hpp"
#include "plan/cost/problem_json.hpp"
#include "plan/network/network_problem.hpp"
#include "plan_quantities.hpp"
#include "zoo/zoo.hpp"

namespace espalier::tools {
namespace {

bool in_zoo(const std::string& name) {
  const std::vector<std::string>& names = zoo::names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string read_text(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

plan::Machines parse_machines(const PlanNetworkOptions& options, const CompileSettings& settings) {
  plan::Machines machines;
  machines.clock_megahertz = machine_clock(options.clock, settings);
  machines.cpu = parse_factor(options.cpu, "--cpu");
  machines.server = parse_factor(options.server, "--server");
  const std::vector<double> watts = parse_numbers(options.power, "--power");
  if (watts.size() != 3)
    throw Error(ErrorCode::Usage, "three powers are expected", "--power", options.power,
                "write watts of accelerator, CPU and server: 5,3,0");
  machines.accelerator_watts = watts[0];
  machines.cpu_watts = watts[1];
  machines.server_watts = watts[2];
  return machines;
}

/// Replaces the exits and policies by those of a file, which names layers by name or index.
plan::Problem with_exits(const plan::Problem& problem, const std::string& path) {
  Json given = Json::parse(read_text(path), nullptr, false);
  if (!given.is_object() || !given.contains("exits") || !given["exits"].is_array() || !given.contains("policies"))
    throw Error(ErrorCode::Input, "not a file of exits and policies", path, {},
                R"(write {"exits": [{"name": ..., "layer": ...}], "policies": [{"name": ..., "leaves": )"
                R"([{"exit": 0, "share": 10000}], "accuracy": [9000]}]})");
  for (Json& exit : given["exits"]) {
    if (!exit.is_object() || !exit.contains("layer") || !exit["layer"].is_string()) continue;
    const std::string name = exit["layer"].get<std::string>();
    const auto layer = std::find_if(problem.layers.begin(), problem.layers.end(),
                                    [&](const plan::Layer& one) { return one.name == name; });
    if (layer == problem.layers.end())
      throw Error(ErrorCode::Input, "no layer of this name for an exit", path, name, "espalier inspect lists them");
    exit["layer"] = layer - problem.layers.begin();
  }
  Json json = plan::to_json(problem);
  json["exits"] = given["exits"];
  json["policies"] = given["policies"];
  if (given.contains("accuracy_floor")) json["accuracy_floor"] = given["accuracy_floor"];
  return plan::problem_from_json(json);
}

model::Network zoo_network(const PlanNetworkOptions& options, Console& console) {
  zoo::Options wanted;
  wanted.density = options.density;
  wanted.pattern = model::parse_pattern(options.pattern);
  wanted.resolution = options.resolution;
  console.progress("building " + options.source);
  return zoo::build(options.source, wanted);
}

bool of_zoo(const PlanNetworkOptions& options) {
  return in_zoo(options.source) && !std::filesystem::exists(options.source);
}

ModelOptions model_options(const PlanNetworkOptions& options) {
  ModelOptions model = options.model;
  model.path = options.source;
  return model;
}

bool is_problem_file(const std::string& path) { return std::filesystem::path(path).extension() == ".json"; }

void require_source(const PlanNetworkOptions& options) {
  if (options.source.empty())
    throw Error(ErrorCode::Usage, "no problem given", "MODEL", {},
                "give a problem file or a network; see espalier plan --help");
}

plan::Problem network_problem(const PlanNetworkOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  const plan::Machines machines = parse_machines(options, settings);
  plan::check(machines);
  if (!of_zoo(options) && is_compiled_file(options.source)) {
    const run::Executable executable = load_model(model_options(options), {}, console).executable;
    return plan::compiled_problem(executable.compiled, executable.name, machines);
  }
  const model::Network network =
      of_zoo(options) ? zoo_network(options, console) : import_model(model_options(options), {}, console).network;
  plan::TimesOptions times;
  times.compile.memory = settings.memory;
  times.compile.mode = settings.weights;
  times.compile.weight_format = settings.weight_format;
  times.compile.split = settings.split;
  times.positions = options.positions;
  times.progress = [&console](const std::string& line) { console.progress(line); };
  const abi::Configuration configuration = settings.array.value_or(abi::Array16x16);
  return plan::network_problem(
      network, {{"as given", plan::Whole, plan::network_times(network, configuration, times), 100}}, machines);
}

}  // namespace

void add_plan_network_options(CLI::App& command, PlanNetworkOptions& options) {
  std::string known;
  for (const std::string& name : zoo::names()) known += ", " + name;
  command.add_option(
      "MODEL,--problem", options.source,
      "problem file (.json: devices, links, layers, exits, variants), network (.onnx, .tflite), compiled "
      "file (.esp)" +
          known);
  command.add_option("--cpu", options.cpu, "speed of the CPU as a multiple of the accelerator's, or none")
      ->capture_default_str();
  command.add_option("--server", options.server, "speed of the server, the same")->capture_default_str();
  command.add_option("--clock", options.clock, "of the accelerator in MHz; default that of --memory, or 300")
      ->check(CLI::Range(1.0, 10000.0));
  command.add_option("--power", options.power, "watts of accelerator, CPU and server while they compute")
      ->capture_default_str();
  command
      .add_option("--positions", options.positions,
                  "where the network's beginning and end are compiled as programs of their own; elsewhere every layer "
                  "is one")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command.add_option("--exits", options.exits,
                     "JSON file of exits, policies with their measured shares and accuracies, accuracy_floor");
  command.add_option("--density", options.density, "share of non-zero weights of a network named above")
      ->capture_default_str();
  command.add_option("--pattern", options.pattern, "of its zeros")->capture_default_str();
  command.add_option("--resolution", options.resolution, "height and width of its input; default: as published");
  command.add_option("--calibrate", options.model.quantisation.calibrate,
                     "files of samples that quantise a float network");
  add_import_options(command, options.model.import_texts);
  add_array_options(command, options.model);
}

QuantisedModel plan_model(const PlanNetworkOptions& options, Console& console) {
  require_source(options);
  if (of_zoo(options)) {
    QuantisedModel model{zoo_network(options, console), {}, {}};
    const auto port = [&](int index) {
      const model::Feature& f = model.network.features[static_cast<std::size_t>(index)];
      return compress::Input{
          f.name, model::ElementType::Int8, {1, f.channels, f.height, f.width}, static_cast<float>(f.scale), f.zero};
    };
    for (const int input : model.network.inputs) model.ports.inputs.push_back(port(input));
    for (const int output : model.network.outputs) {
      const compress::Input same = port(output);
      model.ports.outputs.push_back({same.name, same.type, same.shape, same.scale, same.zero, {}});
    }
    return model;
  }
  if (is_problem_file(options.source) || is_compiled_file(options.source))
    throw Error(ErrorCode::Usage, "the file has no layers to cut between", "MODEL", options.source,
                "give the network: .onnx, .tflite or a name of espalier plan --help");
  return import_model(model_options(options), {}, console);
}

plan::Problem plan_problem(const PlanNetworkOptions& options, Console& console) {
  require_source(options);
  plan::Problem problem = is_problem_file(options.source) ? plan::read_problem(read_text(options.source))
                                                          : network_problem(options, console);
  return options.exits.empty() ? problem : with_exits(problem, options.exits);
}

}  // namespace espalier::tools

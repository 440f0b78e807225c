#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>

#include "backends.hpp"
#include "commands.hpp"
#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "model/layer_text.hpp"
#include "model/random.hpp"
#include "model_loader.hpp"
#include "table.hpp"
#include "verify.hpp"
#include "zoo/zoo.hpp"

namespace espalier::tools {
namespace {

struct VerifyOptions {
  ModelOptions model;
  std::string devices = "functional,rtl";
  double density = 1;
  int inputs = 1;
  std::uint64_t seed = 1;
  std::string xclbin;
};

/// A file of a network, the name of a published one, or the line of a layer.
LoadedModel load_subject(const VerifyOptions& options, const CompileSettings& settings, Console& console) {
  const std::string& text = options.model.path;
  if (std::filesystem::exists(text)) return load_model(options.model, {}, console);
  const std::vector<std::string>& names = zoo::names();
  LoadedModel model;
  if (std::find(names.begin(), names.end(), text) != names.end()) {
    zoo::Options zoo;
    zoo.density = options.density;
    zoo.seed = options.seed;
    model.network = zoo::build(text, zoo);
  } else if (text.find(' ') == std::string::npos && text.find('.') != std::string::npos) {
    throw Error(ErrorCode::Input, "no such file", text, {},
                "give a model file, the line of a layer or a network's name");
  } else {
    model.network = model::parse_layer(text, options.seed);
  }
  model.executable = compile_model({*model.network, {}}, settings, console);
  return model;
}

std::vector<DeviceChoice> parse_devices(const std::string& text) {
  std::vector<DeviceChoice> devices;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) devices.push_back(parse_device(name));
  if (devices.empty())
    throw Error(ErrorCode::Usage, "no device is named", "--devices", text, "write for example functional,rtl");
  return devices;
}

/// Random values for every input of the network.
std::vector<cpu::Tensor> make_inputs(const LoadedModel& model, model::Random& random) {
  std::vector<std::size_t> sizes;
  if (model.network) {
    for (const int input : model.network->inputs) {
      sizes.push_back(model.network->features[static_cast<std::size_t>(input)].elements());
    }
  } else {
    for (const compress::Input& input : model.executable.ports.inputs) {
      sizes.push_back(static_cast<std::size_t>(model::count_elements(input.shape, input.name)));
    }
  }
  std::vector<cpu::Tensor> inputs;
  for (const std::size_t size : sizes) {
    cpu::Tensor& tensor = inputs.emplace_back(size);
    for (std::int8_t& value : tensor) value = static_cast<std::int8_t>(random.between(-128, 127));
  }
  return inputs;
}

/// The machines of a verification, each with the program resident.
class Machines {
 public:
  Machines(const VerifyOptions& options, const CompileSettings& settings, const compile::Compiled& compiled,
           Console& console)
      : console_(console) {
    const compile::DeviceProgram& program = compiled.program;
    for (const DeviceChoice& choice : parse_devices(options.devices)) {
      BackendOptions backend;
      backend.device = choice;
      backend.configuration = compiled.configuration;
      backend.memory = settings.memory;
      if (choice.kind == DeviceKind::Xrt) backend.xclbin = options.xclbin;
      buses_.push_back(open_bus(backend));
      names_.push_back(device_text(choice));
      loaded_.push_back(driver::Device(*buses_.back())
                            .load({program.image, program.command_offset, program.command_count, program.input_bytes,
                                   program.output_bytes, program.arena_bytes, abi::MarkDepth}));
    }
  }

  const std::vector<std::string>& names() const { return names_; }

  std::vector<MachineRun> run(const std::vector<std::uint8_t>& input, const std::string& what) {
    std::vector<MachineRun> runs;
    for (std::size_t i = 0; i < loaded_.size(); ++i) {
      console_.progress("running " + what + " on " + names_[i]);
      runs.push_back({names_[i], loaded_[i].run(input)});
    }
    return runs;
  }

 private:
  Console& console_;
  std::vector<std::unique_ptr<driver::Bus>> buses_;
  std::vector<std::string> names_;
  std::vector<driver::Loaded> loaded_;
};

Json quantity_json(const Quantity& quantity, const std::vector<std::string>& devices) {
  Json json = {{"quantity", quantity.name}, {"expected", quantity.expected}, {"equal", quantity.equal()}};
  for (std::size_t i = 0; i < devices.size(); ++i) json["values"].push_back(cycles_json(quantity.values[i]));
  return json;
}

std::string quantity_table(const std::vector<Quantity>& rows, const std::vector<std::string>& devices) {
  std::vector<Table::Column> columns{{"quantity", Align::Left}, {"expected"}};
  for (const std::string& device : devices) columns.push_back({device});
  columns.push_back({"", Align::Left});
  Table table(columns);
  for (const Quantity& row : rows) {
    std::vector<std::string> cells{shortened(row.name, LayerNameBytes), grouped(row.expected)};
    for (const auto& value : row.values) cells.push_back(cycles_text(value));
    cells.emplace_back(row.equal() ? "equal" : "DIFFERENT");
    table.add(cells);
  }
  return table.text();
}

/// The CPU reference's outputs, if the network is known.
std::optional<std::vector<cpu::Tensor>> reference_outputs(const LoadedModel& model,
                                                          const std::vector<cpu::Tensor>& inputs) {
  if (!model.network) return std::nullopt;
  const std::vector<cpu::Tensor> features = cpu::FastExecutor(*model.network).run(inputs);
  std::vector<cpu::Tensor> outputs;
  for (const int output : model.network->outputs) outputs.push_back(features[static_cast<std::size_t>(output)]);
  return outputs;
}

Json head(const VerifyOptions& options, const CompileSettings& settings, const compile::Compiled& compiled,
          const std::vector<std::string>& devices) {
  Json json = document("verify");
  json["subject"] = options.model.path;
  json["array"] = array_text(compiled.configuration);
  json["memory"] = {{"bytes", settings.memory.bytes}, {"latency", settings.memory.latency}};
  json["seed"] = options.seed;
  json["devices"] = devices;
  return json;
}

void verify(const VerifyOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  parse_devices(options.devices);
  const LoadedModel model = load_subject(options, settings, console);
  const compile::Compiled& compiled = model.executable.compiled;
  Machines machines(options, settings, compiled, console);
  Expectation expectation{compiled, compile::predict(compiled.program, compiled.configuration, settings.memory), {}};

  Json json = head(options, settings, compiled, machines.names());
  std::string text;
  std::size_t differences = 0;
  model::Random random(options.seed);
  for (int item = 0; item < options.inputs; ++item) {
    const std::vector<cpu::Tensor> inputs = make_inputs(model, random);
    expectation.outputs = reference_outputs(model, inputs);
    const std::string what = fmt::format("input {} of {}", item + 1, options.inputs);
    const std::vector<Quantity> rows = compare(expectation, machines.run(compile::pack(compiled, inputs), what));
    Json quantities = Json::array();
    for (const Quantity& row : rows) {
      quantities.push_back(quantity_json(row, machines.names()));
      differences += row.equal() ? 0 : 1;
    }
    json["inputs"].push_back({{"quantities", std::move(quantities)}});
    text += (options.inputs > 1 ? what + "\n" : "") + quantity_table(rows, machines.names()) + "\n";
  }
  json["differences"] = differences;
  console.report(json, text + fmt::format("{} on {}: {}\n", options.model.path, array_text(compiled.configuration),
                                          differences == 0 ? "no difference" : "DIFFERENT"));
  if (differences != 0)
    throw Error(ErrorCode::Mismatch, "machines differ", options.model.path,
                fmt::format("{} quantities, seed {}", differences, options.seed), "report this with the command used");
}

}  // namespace

void add_verify(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand(
      "verify", "run the same program on several machines and compare every output byte, counter and cycle count");
  const auto options = std::make_shared<VerifyOptions>();
  add_model_options(*command, options->model);
  command
      ->add_option("--devices", options->devices,
                   "names of --device, separated by commas; functional runs the HLS kernels")
      ->capture_default_str();
  command->add_option("--density", options->density, "share of non-zero weights of a published network")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--inputs", options->inputs, "random inputs, run one after the other")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of weights and inputs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--xclbin", options->xclbin, "image for XRT; default: the one built for the array");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier verify \"conv ic64 ih14 oc64 kh3 ph1 density0.25\" --devices functional,rtl\n"
      "  espalier verify network.esp --devices functional,rtl,xrt --inputs 10 --json\n"
      "  espalier verify resnet8 --density 0.1 --array 8x8\n\n"
      "Expected are the CPU reference's outputs and the predicted counters and cycles; machines without a clock have "
      "no\n"
      "cycles. The exit code is 9 if anything differs.");
  command->callback([options, &console] { verify(*options, console); });
}

}  // namespace espalier::tools

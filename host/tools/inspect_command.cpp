#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "esp_error.hpp"
#include "model/graph.hpp"
#include "model/model_import.hpp"
#include "model/rewrite_list.hpp"
#include "model_loader.hpp"
#include "options.hpp"
#include "run/executable_file.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

Json port_json(const std::string& name, const std::string& type, const std::vector<std::int64_t>& shape) {
  return {{"name", name}, {"type", type}, {"shape", shape}};
}

std::string feature_text(const model::Feature& feature) {
  return fmt::format("{}x{}x{}", feature.channels, feature.height, feature.width);
}

// Layers of the quantised network: what would run on the accelerator.
void describe_layers(const model::Network& network, Json& json, std::string& text) {
  Table table(
      {{"layer", Align::Left}, {"operator", Align::Left}, {"output", Align::Left}, {"weights"}, {"MACs"}, {"density"}});
  json["layers"] = Json::array();
  model::MacCount sum;
  for (const model::Layer& layer : network.layers) {
    const model::MacCount macs = model::count_macs(network, layer);
    const model::Feature& output = network.features[static_cast<std::size_t>(layer.output)];
    sum.all += macs.all;
    sum.nonzero += macs.nonzero;
    json["layers"].push_back({{"name", layer.name},
                              {"op", layer.op},
                              {"shape", {output.channels, output.height, output.width}},
                              {"weights", layer.weights.size()},
                              {"macs", macs.all},
                              {"nonzero_macs", macs.nonzero}});
    table.add({layer.name, layer.op, feature_text(output), grouped(layer.weights.size()),
               grouped(static_cast<std::uint64_t>(macs.all)),
               macs.all == 0 ? "-" : percent(static_cast<double>(macs.nonzero) / static_cast<double>(macs.all))});
  }
  json["totals"] = {{"layers", network.layers.size()}, {"macs", sum.all}, {"nonzero_macs", sum.nonzero}};
  table.add_rule();
  table.add({"total", "", "", "", grouped(static_cast<std::uint64_t>(sum.all)),
             sum.all == 0 ? "-" : percent(static_cast<double>(sum.nonzero) / static_cast<double>(sum.all))});
  text += table.text();
}

void describe_ports(const run::Ports& ports, Json& json, std::string& text) {
  const auto describe = [&](const char* key, const auto& list) {
    json[key] = Json::array();
    for (const auto& port : list) {
      json[key].push_back(port_json(port.name, run::type_name(port.type), port.shape));
      text += fmt::format("{} {} {} {}\n", key, port.name, run::type_name(port.type), model::to_string(port.shape));
    }
  };
  describe("inputs", ports.inputs);
  describe("outputs", ports.outputs);
}

void inspect_compiled(const ModelOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options);
  const run::Executable executable = run::load(options.path, settings.array);
  const run::RunReport report = run::predicted_report(executable, "none", settings.memory);
  Json json = document("inspect");
  json["format"] = "esp";
  std::string text = fmt::format("{}: compiled for {}\n", options.path, array_text(report.configuration));
  add_report(json, report);
  describe_ports(executable.ports, json, text);
  console.report(json, text + "\n" + layer_table(report));
}

void inspect_model(const ModelOptions& options, Console& console) {
  const auto [format, graph] = model::import_model(options.path, parse_import_options(options.import_texts));
  Json json = document("inspect");
  json["format"] = model::to_string(format);
  json["model"] = graph.name;
  if (format == model::ModelFormat::Onnx) json["opset"] = graph.opset;
  std::string text =
      fmt::format("{}: {}, {}, {} nodes\n", options.path, graph.name, model::to_string(format), graph.nodes.size());
  json["nodes"] = Json::array();
  for (const model::Node& node : graph.nodes) json["nodes"].push_back({{"name", node.name}, {"op", node.op}});
  const QuantisedModel model = import_model(options, {}, console);
  describe_ports(model.ports, json, text);
  text += "\n";
  describe_layers(model.network, json, text);
  console.report(json, text);
}

void list_rewrites(Console& console) {
  Json json = document("inspect");
  json["rewrites"] = Json::array();
  Table table({{"rewrite", Align::Left}, {"kind", Align::Left}, {"what it does", Align::Left}});
  for (const model::Rewrite& step : model::rewrites()) {
    json["rewrites"].push_back({{"name", step.name}, {"kind", to_string(step.kind)}, {"summary", step.summary}});
    table.add({std::string(step.name), to_string(step.kind), std::string(step.summary)});
  }
  console.report(json, table.text());
}

}  // namespace

void add_inspect(CLI::App& app, Console& console) {
  CLI::App* command =
      app.add_subcommand("inspect", "what is in a model: inputs, outputs, layers, multiply-accumulates");
  const auto options = std::make_shared<ModelOptions>();
  add_model_options(*command, *options);
  command->add_flag("--list-rewrites", options->list_rewrites,
                    "print the rewrites of graphs in their order; those of kind required cannot be left out");
  command->get_option("MODEL")->required(false);
  add_console_options(*command, console);
  command->footer(
      "Examples:\n  espalier inspect network.onnx\n  espalier inspect network.tflite\n  espalier inspect network.onnx "
      "--shape image=1,3,640,640\n  espalier inspect network.esp --json\n  espalier "
      "inspect --list-rewrites\n  espalier inspect network.onnx --no-rewrite fold-padding\n  espalier inspect "
      "predict_net.pb --init-net init_net.pb --shape data=1,3,224,224");
  command->callback([options, command, &console] {
    if (options->list_rewrites) return list_rewrites(console);
    if (command->get_option("MODEL")->count() == 0)
      throw Error(ErrorCode::Usage, "the model is missing", "command line", {}, "see espalier inspect --help");
    if (is_compiled_file(options->path)) {
      inspect_compiled(*options, console);
    } else {
      inspect_model(*options, console);
    }
  });
}

}  // namespace espalier::tools

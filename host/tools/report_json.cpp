#include "report_json.hpp"

#include <algorithm>
#include <utility>

#include "model/refusal_list.hpp"
#include "options.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

bool plain(const Json& value) { return !value.is_structured(); }

void write(const Json& value, int indent, std::string& text) {
  const auto dump = [](const Json& leaf) { return leaf.dump(-1, ' ', false, Json::error_handler_t::replace); };
  if (!value.is_structured() || value.empty() || (value.is_array() && std::all_of(value.begin(), value.end(), plain))) {
    text += dump(value);
    return;
  }
  const std::string margin(static_cast<std::size_t>(indent) + 2, ' ');
  const bool object = value.is_object();
  text += object ? "{" : "[";
  const char* separator = "\n";
  for (const auto& [key, item] : value.items()) {
    text += separator + margin;
    if (object) text += dump(Json(key)) + ": ";
    write(item, indent + 2, text);
    separator = ",\n";
  }
  text += "\n" + std::string(static_cast<std::size_t>(indent), ' ') + (object ? "}" : "]");
}

}  // namespace

Json document(const std::string& command) { return {{"schema", JsonSchema}, {"command", command}}; }

Json error_document(const Error& error) {
  Json json{{"schema", JsonSchema},
            {"error",
             {{"code", to_string(error.code())},
              {"what", error.summary()},
              {"where", error.where()},
              {"value", error.value()},
              {"action", error.action()}}}};
  if (const auto* unsupported = dynamic_cast<const model::UnsupportedModel*>(&error)) {
    json["error"]["operators"] = Json::array();
    for (const model::Refusal& refusal : unsupported->refusals())
      json["error"]["operators"].push_back({{"node", refusal.node},
                                            {"operator", refusal.op},
                                            {"reason", refusal.reason},
                                            {"value", refusal.value},
                                            {"action", refusal.action}});
  }
  return json;
}

Json cycles_json(const std::optional<std::uint64_t>& cycles) { return cycles ? Json(*cycles) : Json(nullptr); }

Json output_json(const run::Output& output) {
  Json data = Json::array();
  const bool integer = output.type != "float32";
  for (const double value : output.values) {
    if (integer) {
      data.push_back(static_cast<std::int64_t>(value));
    } else {
      data.push_back(value);
    }
  }
  return {{"name", output.name}, {"shape", output.shape}, {"type", output.type}, {"data", std::move(data)}};
}

Json layer_json(const run::LayerRow& row) {
  return {{"name", row.name},
          {"op", row.op},
          {"shape", row.shape},
          {"device", row.device},
          {"mode", row.mode},
          {"split", row.split},
          {"macs", row.macs},
          {"nonzero_macs", row.nonzero_macs},
          {"predicted_cycles", row.predicted_cycles},
          {"measured_cycles", cycles_json(row.measured_cycles)},
          {"lower_bound_cycles", row.lower_bound_cycles},
          {"dram_read_bytes", row.dram_read_bytes},
          {"dram_write_bytes", row.dram_write_bytes},
          {"weight_format", row.weight_format},
          {"weight_bytes", row.weight_bytes},
          {"code_table_bytes", row.code_table_bytes},
          {"weight_alignment_bytes", row.weight_alignment_bytes},
          {"weight_entropy_bytes", row.weight_entropy_bytes},
          {"natural_entropy_bytes", row.natural_entropy_bytes},
          {"nonzero_weights", row.nonzero_weights},
          {"pattern", row.pattern},
          {"group", row.group == 0 ? Json(nullptr) : Json(row.group)},
          {"bound", row.bound}};
}

void add_utilisation(Json& layer, const run::LayerRow& together, const abi::Configuration& configuration) {
  const std::uint64_t cycles = run::cycles_of(together);
  layer["mac_utilisation"] = run::utilisation(together.macs, cycles, configuration);
  layer["nonzero_utilisation"] = run::utilisation(together.nonzero_macs, cycles, configuration);
}

void add_report(Json& json, const run::RunReport& report) {
  json["model"] = report.model;
  json["device"] = report.device;
  if (!report.cpu_executor.empty()) json["cpu_executor"] = report.cpu_executor;
  json["array"] = array_text(report.configuration);
  json["outputs"] = Json::array();
  for (const run::Output& output : report.outputs) json["outputs"].push_back(output_json(output));
  json["layers"] = Json::array();
  for (std::size_t i = 0; i < report.layers.size(); ++i) {
    Json layer = layer_json(report.layers[i]);
    add_utilisation(layer, run::together(report.layers, i), report.configuration);
    json["layers"].push_back(std::move(layer));
  }
  const run::Totals& totals = report.totals;
  const std::uint64_t cycles = totals.measured_cycles.value_or(totals.predicted_cycles);
  json["totals"] = {{"macs", totals.macs},
                    {"nonzero_macs", totals.nonzero_macs},
                    {"predicted_cycles", totals.predicted_cycles},
                    {"measured_cycles", cycles_json(totals.measured_cycles)},
                    {"mac_utilisation", run::utilisation(totals.macs, cycles, report.configuration)},
                    {"nonzero_utilisation", run::utilisation(totals.nonzero_macs, cycles, report.configuration)},
                    {"dram_read_bytes", totals.dram_read_bytes},
                    {"dram_write_bytes", totals.dram_write_bytes},
                    {"nonzero_weights", totals.nonzero_weights},
                    {"weight_bytes", totals.weight_bytes},
                    {"code_table_bytes", totals.code_table_bytes},
                    {"weight_alignment_bytes", totals.weight_alignment_bytes},
                    {"weight_entropy_bytes", totals.weight_entropy_bytes},
                    {"natural_entropy_bytes", totals.natural_entropy_bytes},
                    {"bound", main_bound(report.layers)}};
  if (report.causes) {
    const run::Causes& causes = *report.causes;
    json["causes"] = {{"computing", causes.computing}, {"weights", causes.weights}, {"output", causes.output},
                      {"data", causes.data},           {"writing", causes.writing}, {"control", causes.control}};
  }
}

std::string to_text(const Json& json) {
  std::string text;
  write(json, 0, text);
  return text + "\n";
}

}  // namespace espalier::tools

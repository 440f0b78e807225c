#include <fmt/format.h>

#include <limits>
#include <memory>

#include "commands.hpp"
#include "conformance.hpp"
#include "esp_error.hpp"
#include "model/operator_table.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

struct ConformanceOptions {
  std::string folder;
  bool operators = false;
};

std::string type_text(const model::OperatorRow& row) {
  std::string text;
  for (const auto& [variable, types] : row.types)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", variable, types.text());
  return text;
}

Json count_json(std::size_t count) {
  return count == std::numeric_limits<std::size_t>::max() ? Json(nullptr) : Json(count);
}

Json row_json(const model::OperatorRow& row) {
  Json json = {{"operator", row.name},
               {"domain", row.domain},
               {"first_opset", row.first},
               {"last_opset", row.last},
               {"executed", row.executed},
               {"signature", row.signature()},
               {"least_inputs", row.least_inputs()},
               {"most_inputs", count_json(row.most_inputs())},
               {"most_outputs", count_json(row.most_outputs())}};
  json["types"] = Json::object();
  for (const auto& [variable, types] : row.types) json["types"][variable] = types.text();
  json["attributes"] = Json::object();
  for (const model::AttributeRow& attribute : row.attributes)
    json["attributes"][attribute.name] = {{"kind", model::to_string(attribute.kind)}, {"values", attribute.values}};
  return json;
}

void print_operators(Console& console) {
  Json json = document("conformance");
  json["operators"] = Json::array();
  Table table({{"operator", Align::Left},
               {"opsets", Align::Left},
               {"signature", Align::Left},
               {"attributes", Align::Left},
               {"types", Align::Left}});
  for (const model::OperatorRow& row : model::operator_rows()) {
    json["operators"].push_back(row_json(row));
    table.add({row.domain.empty() ? row.name : row.domain + "::" + row.name, fmt::format("{}-{}", row.first, row.last),
               row.signature(), row.attribute_text(), type_text(row)});
  }
  console.report(json, table.text());
}

void add_reasons(const char* title, const std::vector<TestReason>& reasons, Json& json, std::string& text) {
  json = Json::array();
  for (const TestReason& reason : reasons) {
    json.push_back({{"test", reason.test}, {"reason", reason.reason}});
    text += fmt::format("{} {}: {}\n", title, reason.test, reason.reason);
  }
}

void run(const ConformanceOptions& options, Console& console) {
  if (options.operators) return print_operators(console);
  if (options.folder.empty())
    throw Error(ErrorCode::Usage, "no folder is named", "conformance", {}, "name a folder of operator tests");
  const Conformance result = run_conformance(options.folder);
  Json json = document("conformance");
  json["passed"] = result.passed;
  json["refused"] = result.refusals.size();
  json["failed"] = result.failures.size();
  std::string text;
  add_reasons("refused", result.refusals, json["refusals"], text);
  add_reasons("failed", result.failures, json["failures"], text);
  text +=
      fmt::format("{} passed, {} refused, {} failed\n", result.passed, result.refusals.size(), result.failures.size());
  console.report(json, text);
  if (!result.failures.empty())
    throw Error(ErrorCode::Mismatch, "operator tests failed", options.folder, std::to_string(result.failures.size()),
                "see failures[]");
}

}  // namespace

void add_conformance(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("conformance", "run operator tests that others wrote, on the CPU");
  const auto options = std::make_shared<ConformanceOptions>();
  command->add_option("DIR", options->folder, "a folder of tests, each with model.onnx and test_data_set_0");
  command->add_flag("--operators", options->operators,
                    "print the table of operators, types, attributes and operator sets that decides what is refused");
  add_console_options(*command, console);
  command->footer(
      "Prints passed, refused and failed; a test is refused before it runs. Exit code 0 only if none failed.\n"
      "Examples:\n  espalier conformance /usr/share/libonnx-testdata/data/node --json\n"
      "  espalier conformance --operators");
  command->callback([options, &console] { run(*options, console); });
}

}  // namespace espalier::tools

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "esp_error.hpp"
#include "export_cut.hpp"
#include "files.hpp"
#include "plan/cost/problem_json.hpp"
#include "plan/cost/tiles.hpp"
#include "plan/planners/planner.hpp"
#include "plan/search/check.hpp"
#include "plan_network.hpp"
#include "plan_quantities.hpp"
#include "plan_report.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr double NanosecondsPerMillisecond = 1e6;

struct PlanOptions {
  PlanNetworkOptions network;
  std::string algorithm = "ours";
  std::string objective = "latency";
  std::string deadline;  // "5ms"; empty: none
  std::string link;      // "up=400kbps,down=2Mbps,rtt=20ms"; empty: as in the problem
  std::optional<double> deadline_milliseconds;
  std::string output, report, save;
  bool list = false;
  bool no_tiles = false;
  std::string checked;           // plan check
  std::vector<std::string> cut;  // LAYER and FOLDER
};

plan::Request parse_request(const PlanOptions& options) {
  plan::Request request{parse_objective(options.objective), std::nullopt};
  if (!options.deadline.empty()) request.deadline = parse_nanoseconds(options.deadline, "--deadline");
  if (options.deadline_milliseconds)
    request.deadline = parse_nanoseconds(fmt::format("{}ms", *options.deadline_milliseconds), "--deadline-ms");
  return request;
}

std::string read_text(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

/// The evaluation of a plan in milliseconds and millijoules.
Json cost_json(const plan::Evaluation& cost) {
  constexpr double whole = static_cast<double>(plan::Whole);
  const auto milliseconds = [&](std::int64_t value) {
    return static_cast<double>(value) / whole / NanosecondsPerMillisecond;
  };
  return {{"feasible", cost.feasible},
          {"reason", cost.reason},
          {"latency_ms", milliseconds(cost.latency)},
          {"bound_ms", static_cast<double>(cost.bound) / NanosecondsPerMillisecond},
          {"energy_mj", milliseconds(cost.energy)},
          {"bottleneck_ms", milliseconds(cost.bottleneck)},
          {"frames_per_second", cost.bottleneck > 0 ? 1000 / milliseconds(cost.bottleneck) : 0.0},
          {"accuracy", static_cast<double>(cost.accuracy) / whole}};
}

/// One planner's row: its plan and cost, or why it has none.
Json row_json(const PlanRow& row, const plan::Problem& problem, const plan::Request& request) {
  if (!row.plan) {
    const Error refusal(ErrorCode::Unsupported, row.refusal, row.planner, problem.name, "use another planner");
    return {{"planner", row.planner}, {"error", error_document(refusal)["error"]}};
  }
  Json json = plan::to_json(*row.plan);
  json["cost"] = cost_json(row.cost);
  json["layers"] = placement_text(problem, *row.plan);
  json["meets_deadline"] = row.cost.feasible && (!request.deadline || row.cost.bound <= *request.deadline);
  json["meets_accuracy"] = row.cost.accuracy >= problem.accuracy_floor;
  return json;
}

/// Without tilings of its own a problem gets those that the published planners choose from.
void add_published_tilings(plan::Problem& problem) {
  plan::add_tilings(problem, {std::begin(plan::PublishedGrids), std::end(plan::PublishedGrids)});
}

void list_planners(Console& console) {
  Json json = document("plan");
  json["planners"] = Json::array();
  Table table({{"planner", Align::Left}, {"method", Align::Left}});
  for (const plan::Planner& planner : plan::planners()) {
    json["planners"].push_back({{"name", planner.name}, {"reference", planner.reference}});
    table.add({planner.name, planner.reference});
  }
  console.report(json, table.text());
}

std::string plan_text(const Json& plans) {
  Table table({{"planner", Align::Left},
               {"latency ms"},
               {"bound ms"},
               {"energy mJ"},
               {"frames/s"},
               {"accuracy"},
               {"deadline"}});
  for (const Json& row : plans) {
    if (row.contains("error")) {
      table.add({row["planner"].get<std::string>(), "-", "-", "-", "-", "-", "no plan"});
      continue;
    }
    const Json& cost = row["cost"];
    const auto number = [&](const char* key) { return fmt::format("{:.3f}", cost[key].get<double>()); };
    table.add({row["planner"].get<std::string>(), number("latency_ms"), number("bound_ms"), number("energy_mj"),
               number("frames_per_second"), percent(cost["accuracy"].get<double>()),
               row["meets_deadline"].get<bool>() ? "met" : "missed"});
  }
  std::string text = table.text();
  if (plans.size() != 1 || plans[0].contains("error")) return text;
  for (const Json& line : plans[0]["explanation"]) text += "  " + line.get<std::string>() + "\n";
  return text;
}

/// All planners, or the one that is named; its refusal is an error.
std::vector<PlanRow> plan_rows(const PlanOptions& options, const plan::Problem& problem, const plan::Request& request,
                               Console& console) {
  std::vector<PlanRow> rows;
  if (options.algorithm == "all") {
    for (const plan::Planner& planner : plan::planners()) {
      console.progress("planning with " + planner.name);
      rows.push_back(plan_row(planner.name, problem, request));
    }
    return rows;
  }
  rows.push_back({options.algorithm, {}, plan::run_planner(options.algorithm, problem, request), {}, {}});
  rows.front().reference = rows.front().plan->reference;
  rows.front().cost = plan::evaluate(problem, *rows.front().plan);
  return rows;
}

void execute(const PlanOptions& options, Console& console) {
  if (options.list) return list_planners(console);
  if (!options.cut.empty()) {
    Json json = document("plan");
    json["cut"] = export_cut(plan_model(options.network, console), options.cut[0], options.cut[1]);
    return console.report(json, cut_text(json["cut"]));
  }
  const plan::Request request = parse_request(options);
  const LinkChange link = parse_link(options.link);
  plan::Problem problem = plan_problem(options.network, console);
  apply_link(link, problem);
  if (options.no_tiles) problem.tilings.clear();
  const Json given = plan::to_json(problem);
  if (!options.save.empty()) write_file(options.save, to_text(given));
  const bool generated = problem.tilings.empty() && !options.no_tiles;
  if (generated) add_published_tilings(problem);
  const std::vector<PlanRow> rows = plan_rows(options, problem, request, console);
  Json json = document("plan");
  json["model"] = problem.name;
  json["objective"] = plan::to_string(request.objective);
  json["deadline_ns"] = request.deadline ? Json(*request.deadline) : Json(nullptr);
  json["plans"] = Json::array();
  for (const PlanRow& row : rows) json["plans"].push_back(row_json(row, problem, request));
  json["tilings_generated"] = generated;
  json["problem"] = given;
  if (!options.output.empty()) write_file(options.output, to_text(json));
  if (!options.report.empty()) {
    write_file(options.report, plan_report(problem, request, rows, console));
    console.progress("wrote " + options.report);
  }
  console.report(json, plan_text(json["plans"]));
}

/// Verifies every plan with a certificate of a document that `plan --json` or -o wrote.
void execute_check(const PlanOptions& options, Console& console) {
  const Json read = Json::parse(read_text(options.checked), nullptr, false);
  if (!read.is_object() || !read.contains("problem") || !read.contains("plans") || !read["plans"].is_array() ||
      !read.contains("objective") || !read["objective"].is_string())
    throw Error(ErrorCode::Input, "not a document of espalier plan", options.checked, {},
                "write one with espalier plan --problem FILE -o plan.json");
  plan::Problem problem = plan::problem_from_json(read["problem"]);
  if (problem.tilings.empty() && read.value("tilings_generated", true)) add_published_tilings(problem);
  plan::Request request{parse_objective(read["objective"].get<std::string>()), std::nullopt};
  if (read.contains("deadline_ns") && read["deadline_ns"].is_number_integer())
    request.deadline = read["deadline_ns"].get<std::int64_t>();
  Json json = document("plan check");
  json["plans"] = Json::array();
  std::string text;
  for (const Json& row : read["plans"]) {
    if (!row.is_object() || !row.contains("certificate") || row["certificate"].is_null()) continue;
    const plan::SharedPlan candidate = plan::plan_from_json(row);
    const plan::CheckResult result = plan::check(problem, request, candidate);
    if (!result.valid)
      throw Error(ErrorCode::Mismatch, "the certificate does not hold: " + result.reason, options.checked,
                  candidate.planner, "plan again");
    const bool proven = result.value == result.lower_bound;
    json["plans"].push_back({{"planner", candidate.planner},
                             {"valid", true},
                             {"optimal", proven},
                             {"value", result.value},
                             {"lower_bound", result.lower_bound}});
    text += fmt::format("{}: value {}, lower bound {}: {}\n", candidate.planner, result.value, result.lower_bound,
                        proven ? "optimal" : "not proven optimal");
  }
  if (json["plans"].empty())
    throw Error(ErrorCode::Input, "no plan with a certificate", options.checked, {}, "plan with --planner ours");
  console.report(json, text);
}

}  // namespace

void add_plan(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("plan", "where each part of a network runs: devices, cuts, exits, tiles");
  const auto options = std::make_shared<PlanOptions>();
  add_plan_network_options(*command, options->network);
  command->add_option("--planner,--algorithm", options->algorithm, "a planner of --list, or all; default: ours");
  command->add_option("--objective", options->objective, "latency, energy or throughput");
  command->add_option("--deadline", options->deadline, "of one sample's bound, with its unit: 5ms");
  command->add_option("--deadline-ms", options->deadline_milliseconds, "the same in milliseconds")
      ->excludes("--deadline");
  command->add_option("--link", options->link,
                      "links between home and remote devices: up=400kbps,down=2Mbps,rtt=20ms; default of a network: "
                      "up=10Mbps,down=20Mbps,rtt=20ms");
  command->add_option("-o,--output", options->output, "also write the document to this file");
  command->add_option("--save", options->save, "write the problem, so that it can be planned again");
  command->add_option("--report", options->report,
                      "write a page: all plans, latency against bandwidth, exits and cuts, accuracy and latency");
  command
      ->add_option("--export-cut", options->cut,
                   "LAYER FOLDER: instead of planning, write the network up to and with this layer (name or index) and "
                   "the rest as FOLDER/front.onnx and FOLDER/back.onnx")
      ->expected(2);
  command->add_flag("--no-tiles", options->no_tiles,
                    "plans that run layers whole, as espalier run --plan executes them");
  command->add_flag("--list", options->list, "list the planners");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier plan --list\n"
      "  espalier plan resnet50 --algorithm all --server 10x --link up=400kbps,down=2Mbps,rtt=20ms --report plan.html\n"
      "  espalier plan network.onnx --deadline 5ms --objective energy --save problem.json --json\n"
      "  espalier plan network.onnx --export-cut 12 halves\n"
      "  espalier plan problem.json --algorithm all --deadline 5ms --link up=400kbps,down=2Mbps,rtt=20ms --json\n"
      "  espalier plan --problem problem.json --planner ours --objective energy --deadline-ms 30 -o plan.json\n"
      "  espalier plan check plan.json");
  CLI::App* check = command->add_subcommand("check", "verify the certificates of a document of espalier plan");
  check->add_option("plan", options->checked, "the document")->required();
  add_console_options(*check, console);
  check->footer("Examples:\n  espalier plan check plan.json\n  espalier plan check plan.json --json");
  check->callback([options, &console] { execute_check(*options, console); });
  command->callback([options, command, &console] {
    if (command->get_subcommands().empty()) execute(*options, console);
  });
}

}  // namespace espalier::tools

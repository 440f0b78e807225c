#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "plan/cost/problem_json.hpp"
#include "plan/cost/tiles.hpp"
#include "plan/planners/planner.hpp"
#include "plan/search/check.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr double NanosecondsPerMillisecond = 1e6;

struct PlanOptions {
  std::string problem;
  std::string algorithm = "ours";
  std::string objective = "latency";
  std::string deadline;  // "5ms"; empty: none
  std::string link;      // "up=400kbps,down=2Mbps,rtt=20ms"; empty: as in the problem
  std::optional<double> deadline_milliseconds;
  std::string output;
  bool list = false;
  std::string checked;  // plan check
};

/// A number with one of the given units, as a multiple of the first unit.
double quantity(const std::string& text, const std::string& option,
                const std::vector<std::pair<std::string, double>>& units) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  for (const auto& [name, factor] : units)
    if (failure == std::errc{} && unit == name && std::isfinite(number) && number >= 0) return number * factor;
  throw Error(ErrorCode::Usage, "not a quantity with a unit", option, text, "write for example 5ms or 400kbps");
}

std::int64_t nanoseconds(const std::string& text, const std::string& option) {
  const double value = quantity(text, option, {{"ms", 1e6}, {"us", 1e3}, {"s", 1e9}, {"ns", 1}});
  if (value > static_cast<double>(plan::LargestStep))
    throw Error(ErrorCode::Usage, "time too long", option, text, "give at most 1000s");
  return std::llround(value);
}

std::int64_t bytes_per_second(const std::string& text, const std::string& option) {
  constexpr double Byte = 8;
  const double value =
      quantity(text, option, {{"kbps", 1e3 / Byte}, {"Mbps", 1e6 / Byte}, {"Gbps", 1e9 / Byte}, {"bps", 1 / Byte}});
  if (value > static_cast<double>(plan::LargestStep))
    throw Error(ErrorCode::Usage, "bandwidth too high", option, text, "give at most 8000Gbps");
  return std::llround(value);
}

/// Sets the links between home and all remote devices.
void apply_link(const std::string& text, plan::Problem& problem) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const std::string number = equals == std::string::npos ? std::string() : part.substr(equals + 1);
    if (key != "up" && key != "down" && key != "rtt")
      throw Error(ErrorCode::Usage, "no such property of a link", "--link", part,
                  "write up=400kbps,down=2Mbps,rtt=20ms");
    const std::int64_t rate = key == "rtt" ? 0 : bytes_per_second(number, "--link");
    const std::int64_t latency = key == "rtt" ? nanoseconds(number, "--link") / 2 : 0;
    for (plan::Link& link : problem.links) {
      const int other = link.from == problem.home ? link.to : link.to == problem.home ? link.from : -1;
      if (other < 0 || problem.devices[static_cast<std::size_t>(other)].kind != plan::DeviceKind::Remote) continue;
      if (key == "rtt") link.latency = latency;
      if (key == "up" && link.from == problem.home) link.bytes_per_second = rate;
      if (key == "down" && link.to == problem.home) link.bytes_per_second = rate;
    }
  }
}

plan::Objective parse_objective(const std::string& text) {
  for (const plan::Objective objective :
       {plan::Objective::Latency, plan::Objective::Energy, plan::Objective::Throughput})
    if (text == plan::to_string(objective)) return objective;
  throw Error(ErrorCode::Usage, "no such objective", "--objective", text, "choose latency, energy or throughput");
}

plan::Request parse_request(const PlanOptions& options) {
  plan::Request request{parse_objective(options.objective), std::nullopt};
  if (!options.deadline.empty()) request.deadline = nanoseconds(options.deadline, "--deadline");
  if (options.deadline_milliseconds)
    request.deadline = nanoseconds(fmt::format("{}ms", *options.deadline_milliseconds), "--deadline-ms");
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
Json planned(const std::string& name, const plan::Problem& problem, const plan::Request& request) {
  const plan::SharedPlan result = plan::run_planner(name, problem, request);
  const plan::Evaluation cost = plan::evaluate(problem, result);
  Json row = plan::to_json(result);
  row["cost"] = cost_json(cost);
  row["meets_deadline"] = cost.feasible && (!request.deadline || cost.bound <= *request.deadline);
  row["meets_accuracy"] = cost.accuracy >= problem.accuracy_floor;
  return row;
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

void execute(const PlanOptions& options, Console& console) {
  if (options.list) return list_planners(console);
  if (options.problem.empty())
    throw Error(ErrorCode::Usage, "no problem given", "--problem", {}, "give a problem file; see espalier plan --help");
  const plan::Request request = parse_request(options);
  plan::Problem problem = plan::read_problem(read_text(options.problem));
  apply_link(options.link, problem);
  const Json given = plan::to_json(problem);
  const bool generated = problem.tilings.empty();
  if (generated) add_published_tilings(problem);
  Json json = document("plan");
  json["model"] = problem.name;
  json["objective"] = plan::to_string(request.objective);
  json["deadline_ns"] = request.deadline ? Json(*request.deadline) : Json(nullptr);
  json["plans"] = Json::array();
  for (const plan::Planner& planner : plan::planners()) {
    if (options.algorithm != "all") break;
    try {
      json["plans"].push_back(planned(planner.name, problem, request));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      json["plans"].push_back({{"planner", planner.name}, {"error", error_document(error)["error"]}});
    }
  }
  if (options.algorithm != "all") json["plans"].push_back(planned(options.algorithm, problem, request));
  json["tilings_generated"] = generated;
  json["problem"] = given;
  if (!options.output.empty()) write_file(options.output, to_text(json));
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
  if (problem.tilings.empty()) add_published_tilings(problem);
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
  command->add_option("problem,--problem", options->problem,
                      "problem file (JSON): devices, links, layers, exits, variants");
  command->add_option("--planner,--algorithm", options->algorithm, "a planner of --list, or all; default: ours");
  command->add_option("--objective", options->objective, "latency, energy or throughput");
  command->add_option("--deadline", options->deadline, "of one sample's bound, with its unit: 5ms");
  command->add_option("--deadline-ms", options->deadline_milliseconds, "the same in milliseconds")
      ->excludes("--deadline");
  command->add_option("--link", options->link, "links between home and remote devices: up=400kbps,down=2Mbps,rtt=20ms");
  command->add_option("-o,--output", options->output, "also write the document to this file");
  command->add_flag("--list", options->list, "list the planners");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier plan --list\n"
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

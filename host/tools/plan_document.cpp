#include "plan_document.hpp"

#include <nlohmann/json.hpp>

#include "esp_error.hpp"
#include "files.hpp"
#include "plan/cost/problem_json.hpp"

namespace espalier::tools {

int PlanDocument::device(const std::string& name) const {
  std::string known;
  for (std::size_t i = 0; i < problem.devices.size(); ++i) {
    if (problem.devices[i].name == name) return static_cast<int>(i);
    known += (known.empty() ? "" : ", ") + problem.devices[i].name;
  }
  throw Error(ErrorCode::Usage, "the plan has no such device", problem.name, name, "name one of: " + known);
}

PlanDocument read_plan(const std::string& path, const std::string& planner) {
  const auto json = nlohmann::ordered_json::parse(read_text(path), nullptr, false);
  if (!json.is_object() || !json.contains("problem") || !json.contains("plans") || !json["plans"].is_array())
    throw Error(ErrorCode::Input, "not a document of espalier plan", path, {},
                "write one with espalier plan MODEL -o plan.json");
  PlanDocument document{plan::problem_from_json(json["problem"]), {}};
  std::string known;
  int found = 0;
  for (const auto& row : json["plans"]) {
    if (!row.is_object() || row.contains("error")) continue;
    plan::SharedPlan one = plan::plan_from_json(row);
    known += (known.empty() ? "" : ", ") + one.planner;
    if (!planner.empty() && one.planner != planner) continue;
    document.plan = std::move(one);
    ++found;
  }
  if (found != 1)
    throw Error(ErrorCode::Usage, found == 0 ? "the document has no such plan" : "the document has several plans", path,
                planner, known.empty() ? "plan again" : "name one with --planner: " + known);
  return document;
}

}  // namespace espalier::tools

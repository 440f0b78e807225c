#include "exits_file.hpp"

#include <cmath>
#include <limits>

#include "esp_error.hpp"
#include "files.hpp"
#include "options.hpp"
#include "plan/planners/exit_rule.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& path, const std::string& value) {
  throw Error(ErrorCode::Input, what, path, value, "write the file with espalier exits");
}

const Json& find_policy(const Json& file, const std::string& path, const std::string& name) {
  const bool policies = file.is_object() && file.contains("policies") && file["policies"].is_array();
  if (!policies || file["policies"].empty()) refuse("not a file of exits with policies", path, {});
  for (const Json& policy : file["policies"]) {
    if (!policy.is_object() || !policy.contains("thresholds")) continue;
    if (name.empty() || (policy.contains("name") && policy["name"] == name)) return policy;
  }
  refuse("no policy with thresholds has this name", path, name);
}

}  // namespace

std::int32_t parse_threshold(double nat, const std::string& where) {
  constexpr double Most = 1000;  // far above the logarithm of any number of classes
  if (!(nat >= 0) || nat > Most)
    throw Error(ErrorCode::Usage, "not a threshold", where, std::to_string(nat),
                "give an entropy in nat: 0, never, to the logarithm of the number of classes, always");
  return static_cast<std::int32_t>(std::lround(nat * plan::EntropyUnit));
}

double in_nat(std::int32_t threshold) { return static_cast<double>(threshold) / plan::EntropyUnit; }

run::ExitRule read_exit_rule(const std::string& text, const std::string& policy) {
  run::ExitRule rule;
  if (!text.ends_with(".json")) {
    for (const double nat : parse_numbers(text, "--exits")) rule.thresholds.push_back(parse_threshold(nat, "--exits"));
    return rule;
  }
  const Json file = Json::parse(read_text(text), nullptr, false);
  const Json& thresholds = find_policy(file, text, policy)["thresholds"];
  if (!thresholds.is_array()) refuse("thresholds are not an array", text, {});
  for (const Json& threshold : thresholds) {
    if (!threshold.is_number()) refuse("a threshold is not a number", text, threshold.dump());
    rule.thresholds.push_back(parse_threshold(threshold.get<double>(), text));
  }
  return rule;
}

}  // namespace espalier::tools

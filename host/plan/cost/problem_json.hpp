// Problems and plans as JSON, so that a plan can be repeated and argued about.
//
// A problem: {"schema": 1, "name", "home", "accuracy_floor", "input": {height, width}, "devices": [...], "links":
// [...], "layers": [...], "variants": [...], "groups": [...], "exits": [...], "policies": [...], "tilings": [...]};
// devices are named by index. write_problem shows every field; only those with a default may be left out.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "plan/cost/plan_data.hpp"
#include "plan/cost/problem.hpp"

namespace espalier::plan {

inline constexpr int ProblemSchema = 1;

/// Throws Error (Input) naming the field for text that is not JSON, another schema, a missing or wrong field, or data
/// that validate() refuses.
Problem read_problem(std::string_view text);
Problem problem_from_json(const nlohmann::ordered_json& json);
nlohmann::ordered_json to_json(const Problem& problem);

/// A plan with its steps, explanation and certificate. Throws Error (Input) as above.
SharedPlan plan_from_json(const nlohmann::ordered_json& json);
nlohmann::ordered_json to_json(const SharedPlan& plan);

}  // namespace espalier::plan

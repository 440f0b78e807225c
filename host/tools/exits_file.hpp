// The file of exits: which outputs of a network are exits, and policies with their thresholds and what was measured
// with them. `espalier exits` writes it, `espalier run --exits` and `espalier plan --exits` read it.
//
//   {"exits": [{"name": "exit0", "layer": "exit0_classifier", "cycles": 2500}, ...],
//    "policies": [{"name": "loss 0.1 %", "thresholds": [0.21, 0.08], "leaves": [{"exit": 0, "share": 9312}, ...],
//                  "accuracy": [9931], ...}, ...]}
//
// Thresholds are in nat. Shares and accuracies are in 1/10000, as in the problems of plan.
#pragma once

#include <string>
#include <vector>

#include "report_json.hpp"
#include "run/exit_session.hpp"

namespace espalier::tools {

/// A threshold in nat as text or number, in units of 2^-16 nat. Throws Error (Usage) naming `where`.
std::int32_t parse_threshold(double nat, const std::string& where);
double in_nat(std::int32_t threshold);

/// A file of exits, where `text` ends in .json (its policy `policy`, or the first if that is empty), or thresholds
/// separated by commas. Throws Error (Usage, Input).
run::ExitRule read_exit_rule(const std::string& text, const std::string& policy);

}  // namespace espalier::tools

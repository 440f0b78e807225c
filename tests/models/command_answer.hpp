// What `espalier run --json` answers, and how far numbers are from others.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace espalier::test {

using Outputs = std::map<std::string, std::vector<double>>;  // all samples of an output, one after the other

/// outputs[] of the document.
Outputs outputs_of(const nlohmann::json& answer);

/// 10 log10 of signal over error energy; infinite for equal numbers.
double decibels(const std::vector<double>& signal, const std::vector<double>& other);

}  // namespace espalier::test

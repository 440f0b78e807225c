// Names of classes, one a line in a file.
#pragma once

#include <string>
#include <vector>

#include "report_json.hpp"

namespace espalier::tools {

/// Reads a file of names; line i belongs to element i of an output. Throws Error (Input).
std::vector<std::string> read_labels(const std::string& path);

/// Indices of the `count` largest values, the first of equal ones first.
std::vector<std::size_t> largest(const std::vector<double>& values, std::size_t count);

/// [{label, index, value}] of the largest values of an output, in falling order; the label is null if there is no line
/// for the index.
Json labels_json(const run::Output& output, const std::vector<std::string>& labels, std::size_t count);

}  // namespace espalier::tools

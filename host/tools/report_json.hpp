// The JSON documents of the command line. Every document has `schema`, which changes when a field changes its meaning.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "esp_error.hpp"
#include "run/report.hpp"

namespace espalier::tools {

using Json = nlohmann::ordered_json;

inline constexpr int JsonSchema = 1;

/// {"schema": 1, "command": command}: the start of every document.
Json document(const std::string& command);

/// {"schema": 1, "error": {code, what, where, value, action}}; of a model that holds unsupported operators also
/// operators[] with node, operator, reason, value and action of each.
Json error_document(const Error& error);

/// Utilisation of the array while a row is computed, with all that runs `together` with it; added to one of layers[].
void add_utilisation(Json& layer, const run::LayerRow& together, const abi::Configuration& configuration);

/// outputs[], layers[], totals and causes of a run, added to `json`.
void add_report(Json& json, const run::RunReport& report);

/// A number of cycles, or null if the device has no clock.
Json cycles_json(const std::optional<std::uint64_t>& cycles);

/// One element of outputs[]: name, shape, type, data; data are integers for integer types.
Json output_json(const run::Output& output);

/// One element of layers[].
Json layer_json(const run::LayerRow& row);

/// The text of a document: two spaces of indentation, arrays of numbers on one line, a newline at the end. Bytes that
/// are not UTF-8 are replaced.
std::string to_text(const Json& json);

}  // namespace espalier::tools

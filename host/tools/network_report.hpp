// What `espalier bench network` says: one row per layer with its limits and causes, totals, and where cycles are lost.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "report_json.hpp"
#include "run/report.hpp"

namespace espalier::tools {

/// A row of the table and what the array could have done at best.
struct NetworkRow {
  run::LayerRow row;
  compile::Causes causes;       // of the predicted cycles; all 0 for prologue and epilogue
  std::uint64_t mac_bound = 0;  // cycles if every multiplier had a non-zero weight in every cycle
  std::uint64_t cycles = 0;     // measured if it was, else predicted
  std::uint64_t excess() const { return cycles - std::min(cycles, mac_bound); }
};

struct NetworkReport {
  run::RunReport run;
  std::vector<NetworkRow> rows;
  compile::Causes causes;         // of all layers
  double clock = 300;             // MHz
  std::optional<bool> bit_exact;  // none if it was not run

  std::uint64_t cycles() const { return run.totals.measured_cycles.value_or(run.totals.predicted_cycles); }
  double frames_per_second() const { return clock * 1e6 / static_cast<double>(cycles()); }
};

/// Joins the rows of a prediction or of a run with what the compiler knows of the layers.
NetworkReport network_report(const compile::Compiled& compiled, run::RunReport run, double clock);

/// layers[] and totals, added to `json`.
void add_network_report(Json& json, const NetworkReport& report);

/// The table of all layers, and that of the `worst` layers with most cycles above their MAC bound.
std::string network_table(const NetworkReport& report);
std::string worst_table(const NetworkReport& report, std::size_t worst);

}  // namespace espalier::tools

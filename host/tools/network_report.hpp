// What `espalier bench network` says: one row per layer with its limits and causes, totals, and where cycles are lost.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "report_json.hpp"
#include "run/report.hpp"
#include "soc/platform.hpp"

namespace espalier::tools {

/// A row of the table, and what the array could have done at best for all that runs together with it.
struct NetworkRow {
  run::LayerRow row;
  compile::Causes causes;       // of the predicted cycles; all 0 for prologue and epilogue
  std::uint64_t mac_bound = 0;  // cycles if every multiplier had a non-zero weight in every cycle
  std::uint64_t cycles = 0;     // of all that runs together: measured if it was, else predicted
  run::LayerRow together;       // what runs together with it, see run::together(); itself if it runs alone
  bool with_above = false;      // its cycles are counted in the row above
  std::uint64_t excess() const { return cycles - std::min(cycles, mac_bound); }
};

/// Rows and totals are those of one input.
struct NetworkReport {
  run::RunReport run;
  std::vector<NetworkRow> rows;
  compile::Causes causes;                              // of all layers
  double clock = 300;                                  // MHz
  std::optional<bool> bit_exact;                       // of all inputs of the batch; none if it was not run
  int batch = 1;                                       // inputs, run one after the other
  std::optional<std::uint64_t> batch_measured_cycles;  // of all of them; none without a clock
  std::optional<soc::Report> traffic;                  // of a platform

  /// Counts a run of one input of the batch.
  void add_run(const run::Totals& totals, bool exact);
  std::uint64_t batch_predicted_cycles() const {
    return run.totals.predicted_cycles * static_cast<std::uint64_t>(batch);
  }
  std::uint64_t cycles() const { return run.totals.measured_cycles.value_or(run.totals.predicted_cycles); }
  double frames_per_second() const { return clock * 1e6 / static_cast<double>(cycles()); }
};

/// Joins the rows of a prediction or of a run with what the compiler knows of the layers.
NetworkReport network_report(const compile::Compiled& compiled, run::RunReport run, double clock);

/// layers[] and totals, added to `json`.
void add_network_report(Json& json, const NetworkReport& report);

/// One line: the share of the cycles that each cause other than computing takes, measured if it was.
std::string lost_share_text(const NetworkReport& report);

/// The table of all layers, and that of the `worst` layers with most cycles above their MAC bound.
std::string network_table(const NetworkReport& report);
std::string worst_table(const NetworkReport& report, std::size_t worst);

}  // namespace espalier::tools

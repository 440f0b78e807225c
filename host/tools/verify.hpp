// What machines did with the same program and inputs, compared quantity by quantity.
//
//   std::vector<Quantity> rows = compare({compiled, prediction, expected}, runs);
//   bool equal = std::all_of(rows.begin(), rows.end(), [](const Quantity& row) { return row.equal(); });
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "compile/timing/predict.hpp"
#include "espalier/driver/device.hpp"

namespace espalier::tools {

/// A run on one machine. Machines without a clock count no cycles.
struct MachineRun {
  std::string device;
  driver::RunResult result;

  bool has_clock() const { return result.counters.cycles != 0; }
};

/// What the machines should do. `outputs`: int8 features of the CPU reference, if the network is known.
struct Expectation {
  const compile::Compiled& compiled;
  compile::Prediction prediction;
  std::optional<std::vector<std::vector<std::int8_t>>> outputs;
};

/// One number of all machines; those that do not have it have no value.
struct Quantity {
  std::string name;
  std::uint64_t expected = 0;
  std::vector<std::optional<std::uint64_t>> values;  // in the order of the runs

  bool equal() const;
};

/// Output bytes that equal those of the first run, output values that equal the CPU reference's, beats and entries,
/// cycles and their causes, and the cycle of the mark of every layer. Throws Error(Input) for output windows that are
/// too short.
std::vector<Quantity> compare(const Expectation& expectation, const std::vector<MachineRun>& runs);

}  // namespace espalier::tools

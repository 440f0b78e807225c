// What a run was: outputs, one row per layer, totals. Plain data, for tables, JSON and HTML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "esp_abi.hpp"
#include "model/array.hpp"

namespace espalier::run {

/// An output as the user of the network sees it.
struct Output {
  std::string name;
  std::string type;  // "float32", "int8" or "uint8"
  std::vector<std::int64_t> shape;
  std::vector<double> values;  // C order
};

/// A row of the table of layers; the first is the prologue (start to the first layer's data), the last the epilogue
/// (last layer's output to done). All cycle columns sum to the totals.
struct LayerRow {
  std::string name;
  std::string op;
  std::string shape;   // e.g. "64x56x56 -> 64x56x56"
  std::string device;  // where it ran
  std::string mode;    // dense, sparse or empty
  int split = 1;       // channels in a computed word
  std::int64_t macs = 0;
  std::int64_t nonzero_macs = 0;
  std::uint64_t predicted_cycles = 0;
  std::optional<std::uint64_t> measured_cycles;  // none if the device has no clock
  std::uint64_t lower_bound_cycles = 0;          // of the layer's tightest resource
  std::uint64_t dram_read_bytes = 0;
  std::uint64_t dram_write_bytes = 0;
  std::int64_t nonzero_weights = 0;
  std::string weight_format;           // raw, packed, fixed, huffman; empty without weights
  std::uint64_t weight_bytes = 0;      // part of dram_read_bytes
  double weight_alignment_bytes = 0;   // of weight_bytes, left empty at the ends of words and beats
  std::uint64_t code_table_bytes = 0;  // read for the code tables of those streams
  double weight_entropy_bytes = 0;     // zero order, of the symbols of the weight streams
  double natural_entropy_bytes = 0;    // of the weights in their own order, once
  std::string bound;                   // compute, weights, memory, output; empty for prologue and epilogue
  std::string pattern;                 // of the zeros among the weights; empty without weights
  int group = 0;  // the same for rows that run together: the first has the cycles of all; 0: it runs alone
};

/// Cycles by cause, from the device's counters; they sum to `cycles`.
struct Causes {
  std::uint64_t computing = 0, weights = 0, output = 0, data = 0, writing = 0, control = 0;
};

struct Totals {
  std::int64_t macs = 0;
  std::int64_t nonzero_macs = 0;
  std::uint64_t predicted_cycles = 0;
  std::optional<std::uint64_t> measured_cycles;
  std::uint64_t dram_read_bytes = 0;
  std::uint64_t dram_write_bytes = 0;
  std::int64_t nonzero_weights = 0;
  std::uint64_t weight_bytes = 0;
  double weight_alignment_bytes = 0;
  std::uint64_t code_table_bytes = 0;
  double weight_entropy_bytes = 0;
  double natural_entropy_bytes = 0;
};

struct RunReport {
  std::string model;
  std::string device;
  std::string cpu_executor;  // of layers on the CPU; empty: there are none
  abi::Configuration configuration;
  std::vector<Output> outputs;
  std::vector<LayerRow> layers;
  Totals totals;
  std::optional<Causes> causes;  // none if the device has no clock
};

/// Sums of the rows; measured_cycles only if every row has them.
Totals sum(const std::vector<LayerRow>& rows);

/// The name of an element type in reports: "float32", "int8" or "uint8".
const char* type_name(model::ElementType type);

/// Non-zero share of a row's multiply-accumulates, 1 for layers without weights.
double density(const LayerRow& row);

/// Bytes that are read per weight that is not zero; 0 without weights.
double bytes_per_nonzero(std::uint64_t weight_bytes, std::int64_t nonzero_weights);

/// Cycles of a row: measured if it was run on a device with a clock, else predicted.
std::uint64_t cycles_of(const LayerRow& row);

/// Whether a row runs together with the one above it, so that its cycles are counted there.
bool with_above(const std::vector<LayerRow>& rows, std::size_t index);

/// All that runs together with a row, itself included, as one row with their sums; the row itself if it runs alone.
LayerRow together(const std::vector<LayerRow>& rows, std::size_t index);

/// The rows with those that run together as one.
std::vector<LayerRow> joined(const std::vector<LayerRow>& rows);

/// Multiply-accumulates per cycle and per multiplier of the array, 0..1; 0 without cycles.
double utilisation(std::int64_t macs, std::uint64_t cycles, const abi::Configuration& configuration);

}  // namespace espalier::run

#include "run/report.hpp"

namespace espalier::run {
namespace {

void add_sums(LayerRow& sum, const LayerRow& row) {
  sum.macs += row.macs;
  sum.nonzero_macs += row.nonzero_macs;
  sum.predicted_cycles += row.predicted_cycles;
  sum.lower_bound_cycles += row.lower_bound_cycles;
  sum.dram_read_bytes += row.dram_read_bytes;
  sum.dram_write_bytes += row.dram_write_bytes;
  sum.nonzero_weights += row.nonzero_weights;
  sum.weight_bytes += row.weight_bytes;
  sum.code_table_bytes += row.code_table_bytes;
  sum.weight_alignment_bytes += row.weight_alignment_bytes;
  sum.weight_entropy_bytes += row.weight_entropy_bytes;
  sum.natural_entropy_bytes += row.natural_entropy_bytes;
  if (!row.measured_cycles) {
    sum.measured_cycles.reset();
  } else if (sum.measured_cycles) {
    *sum.measured_cycles += *row.measured_cycles;
  }
}

}  // namespace

Totals sum(const std::vector<LayerRow>& rows) {
  Totals totals;
  totals.measured_cycles = 0;
  for (const LayerRow& row : rows) {
    totals.macs += row.macs;
    totals.nonzero_macs += row.nonzero_macs;
    totals.predicted_cycles += row.predicted_cycles;
    totals.dram_read_bytes += row.dram_read_bytes;
    totals.dram_write_bytes += row.dram_write_bytes;
    totals.nonzero_weights += row.nonzero_weights;
    totals.weight_bytes += row.weight_bytes;
    totals.code_table_bytes += row.code_table_bytes;
    totals.weight_alignment_bytes += row.weight_alignment_bytes;
    totals.weight_entropy_bytes += row.weight_entropy_bytes;
    totals.natural_entropy_bytes += row.natural_entropy_bytes;
    if (!row.measured_cycles) {
      totals.measured_cycles.reset();
    } else if (totals.measured_cycles) {
      *totals.measured_cycles += *row.measured_cycles;
    }
  }
  return totals;
}

const char* type_name(model::ElementType type) {
  switch (type) {
    case model::ElementType::Int8:
      return "int8";
    case model::ElementType::UInt8:
      return "uint8";
    default:
      return "float32";
  }
}

double density(const LayerRow& row) {
  return row.macs == 0 ? 1.0 : static_cast<double>(row.nonzero_macs) / static_cast<double>(row.macs);
}

double bytes_per_nonzero(std::uint64_t weight_bytes, std::int64_t nonzero_weights) {
  return nonzero_weights == 0 ? 0.0 : static_cast<double>(weight_bytes) / static_cast<double>(nonzero_weights);
}

std::uint64_t cycles_of(const LayerRow& row) { return row.measured_cycles.value_or(row.predicted_cycles); }

bool with_above(const std::vector<LayerRow>& rows, std::size_t index) {
  return index > 0 && rows[index].group != 0 && rows[index].group == rows[index - 1].group;
}

LayerRow together(const std::vector<LayerRow>& rows, std::size_t index) {
  while (with_above(rows, index)) --index;
  LayerRow sum = rows[index];
  std::size_t last = index;
  while (last + 1 < rows.size() && with_above(rows, last + 1)) ++last;
  if (last == index) return sum;
  for (std::size_t i = index + 1; i <= last; ++i) add_sums(sum, rows[i]);
  sum.name += (last == index + 1 ? " + " : " ... ") + rows[last].name;
  sum.op = std::to_string(last - index + 1) + " layers together";
  sum.shape.clear();
  sum.mode.clear();
  sum.weight_format.clear();
  sum.pattern.clear();
  return sum;
}

std::vector<LayerRow> joined(const std::vector<LayerRow>& rows) {
  std::vector<LayerRow> result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!with_above(rows, i)) result.push_back(together(rows, i));
  }
  return result;
}

double utilisation(std::int64_t macs, std::uint64_t cycles, const abi::Configuration& configuration) {
  if (cycles == 0) return 0.0;
  const double capacity = static_cast<double>(cycles) * configuration.lanes * configuration.pixels;
  return static_cast<double>(macs) / capacity;
}

}  // namespace espalier::run

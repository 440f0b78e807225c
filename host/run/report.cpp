#include "run/report.hpp"

namespace espalier::run {

Totals sum(const std::vector<LayerRow>& rows) {
  Totals totals;
  totals.measured_cycles = 0;
  for (const LayerRow& row : rows) {
    totals.macs += row.macs;
    totals.nonzero_macs += row.nonzero_macs;
    totals.predicted_cycles += row.predicted_cycles;
    totals.dram_read_bytes += row.dram_read_bytes;
    totals.dram_write_bytes += row.dram_write_bytes;
    totals.weight_bytes += row.weight_bytes;
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

double utilisation(std::int64_t macs, std::uint64_t cycles, const abi::Configuration& configuration) {
  if (cycles == 0) return 0.0;
  const double capacity = static_cast<double>(cycles) * configuration.lanes * configuration.pixels;
  return static_cast<double>(macs) / capacity;
}

}  // namespace espalier::run

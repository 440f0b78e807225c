#include "table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace espalier::tools {
namespace {

// Columns of terminal cells: counts UTF-8 code points.
std::size_t cells(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, Align align) {
  const std::string space(width - std::min(width, cells(text)), ' ');
  return align == Align::Left ? text + space : space + text;
}

}  // namespace

std::string shortened(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + "\u2026";
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    std::size_t width = cells(columns_[column].title);
    for (const auto& row : rows_)
      if (!row.empty()) width = std::max(width, cells(row[column]));
    widths.push_back(width);
  }
  std::string text;
  const auto line = [&](const auto& cell) {
    std::string row;
    for (std::size_t column = 0; column < columns_.size(); ++column)
      row += (column == 0 ? "" : "  ") + padded(cell(column), widths[column], columns_[column].align);
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  };
  const auto rule = [&] { line([&](std::size_t column) { return std::string(widths[column], '-'); }); };
  line([&](std::size_t column) { return columns_[column].title; });
  rule();
  for (const auto& row : rows_) {
    if (row.empty()) {
      rule();
    } else {
      line([&](std::size_t column) { return row[column]; });
    }
  }
  return text;
}

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, ",");
  return digits;
}

std::string cycles_text(const std::optional<std::uint64_t>& cycles) { return cycles ? grouped(*cycles) : "-"; }

CycleCells cycle_cells(const run::LayerRow& together, bool with_above) {
  if (with_above) return {"with above", together.measured_cycles ? "with above" : "-"};
  return {grouped(together.predicted_cycles), cycles_text(together.measured_cycles)};
}

std::string percent(double share) { return fmt::format("{:.1f}%", 100.0 * share); }

std::string main_bound(const std::vector<run::LayerRow>& rows) {
  std::map<std::string, std::uint64_t> cycles;
  for (const run::LayerRow& row : rows)
    if (!row.bound.empty()) cycles[row.bound] += row.measured_cycles.value_or(row.predicted_cycles);
  const auto most =
      std::max_element(cycles.begin(), cycles.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == cycles.end() ? "" : most->first;
}

run::LayerRow total_row(const run::RunReport& report, std::string name) {
  run::LayerRow row;
  row.name = std::move(name);
  row.macs = report.totals.macs;
  row.nonzero_macs = report.totals.nonzero_macs;
  row.predicted_cycles = report.totals.predicted_cycles;
  row.measured_cycles = report.totals.measured_cycles;
  row.dram_read_bytes = report.totals.dram_read_bytes;
  row.dram_write_bytes = report.totals.dram_write_bytes;
  row.bound = main_bound(report.layers);
  return row;
}

std::string layer_table(const run::RunReport& report) {
  Table table({{"layer", Align::Left},
               {"operator", Align::Left},
               {"shape", Align::Left},
               {"MACs"},
               {"density"},
               {"ran on", Align::Left},
               {"predicted"},
               {"measured"},
               {"utilis."},
               {"read B"},
               {"written B"},
               {"bound", Align::Left}});
  const auto used = [&](std::int64_t macs, std::uint64_t predicted, const std::optional<std::uint64_t>& measured) {
    return macs == 0 ? std::string("-")
                     : percent(run::utilisation(macs, measured.value_or(predicted), report.configuration));
  };
  for (std::size_t i = 0; i < report.layers.size(); ++i) {
    const run::LayerRow& row = report.layers[i];
    const run::LayerRow together = run::together(report.layers, i);
    const bool above = run::with_above(report.layers, i);
    const CycleCells cells = cycle_cells(together, above);
    table.add({shortened(row.name, LayerNameBytes), row.op, row.shape,
               row.macs == 0 ? "-" : grouped(static_cast<std::uint64_t>(row.macs)),
               row.macs == 0 ? "-" : percent(run::density(row)), row.device, cells.predicted, cells.measured,
               above ? "" : used(together.nonzero_macs, together.predicted_cycles, together.measured_cycles),
               grouped(row.dram_read_bytes), grouped(row.dram_write_bytes), row.bound.empty() ? "-" : row.bound});
  }
  const run::Totals& totals = report.totals;
  table.add_rule();
  table.add(
      {"total", "", "", grouped(static_cast<std::uint64_t>(totals.macs)),
       totals.macs == 0 ? "-" : percent(static_cast<double>(totals.nonzero_macs) / static_cast<double>(totals.macs)),
       "", grouped(totals.predicted_cycles), cycles_text(totals.measured_cycles),
       used(totals.nonzero_macs, totals.predicted_cycles, totals.measured_cycles), grouped(totals.dram_read_bytes),
       grouped(totals.dram_write_bytes), main_bound(report.layers)});
  return table.text();
}

}  // namespace espalier::tools

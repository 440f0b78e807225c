#include "network_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "table.hpp"
#include "traffic_report.hpp"

namespace espalier::tools {
namespace {

struct CauseName {
  const char* name;
  std::uint32_t compile::Causes::*field;
};
constexpr std::array<CauseName, 6> CauseNames{{{"computing", &compile::Causes::computing},
                                               {"weights", &compile::Causes::weights},
                                               {"output", &compile::Causes::output},
                                               {"data", &compile::Causes::data},
                                               {"writing", &compile::Causes::writing},
                                               {"control", &compile::Causes::control}}};

Json causes_json(const compile::Causes& causes) {
  Json json = Json::object();
  for (const CauseName& cause : CauseNames) json[cause.name] = causes.*cause.field;
  return json;
}

/// Cycles by cause, measured if they were; computing comes first.
std::vector<std::pair<const char*, std::uint64_t>> spent(const NetworkReport& report) {
  if (report.run.causes) {
    const run::Causes& c = *report.run.causes;
    return {{"computing", c.computing}, {"weights", c.weights}, {"output", c.output},
            {"data", c.data},           {"writing", c.writing}, {"control", c.control}};
  }
  std::vector<std::pair<const char*, std::uint64_t>> result;
  for (const CauseName& cause : CauseNames) result.emplace_back(cause.name, report.causes.*cause.field);
  return result;
}

double share_of(std::uint64_t cycles, const NetworkReport& report) {
  return report.cycles() == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(report.cycles());
}

Json lost_json(const NetworkReport& report) {
  Json json = Json::object();
  const auto causes = spent(report);
  for (std::size_t i = 1; i < causes.size(); ++i) json[causes[i].first] = share_of(causes[i].second, report);
  return json;
}

std::string whole(double value) { return grouped(static_cast<std::uint64_t>(value)); }

std::string per_nonzero(std::uint64_t bytes, std::int64_t weights) {
  return weights == 0 ? "-" : fmt::format("{:.2f}", run::bytes_per_nonzero(bytes, weights));
}

std::string macs_text(std::int64_t macs) { return macs == 0 ? "-" : grouped(static_cast<std::uint64_t>(macs)); }

}  // namespace

NetworkReport network_report(const compile::Compiled& compiled, run::RunReport run, double clock) {
  NetworkReport report;
  report.clock = clock;
  const std::int64_t multipliers = std::int64_t{run.configuration.lanes} * run.configuration.pixels;
  for (std::size_t i = 0; i < run.layers.size(); ++i) {
    NetworkRow row;
    row.row = run.layers[i];
    row.with_above = run::with_above(run.layers, i);
    row.together = run::together(run.layers, i);
    const bool layer = i > 0 && i <= compiled.layers.size();
    if (layer) row.causes = compiled.layers[i - 1].causes;
    row.cycles = run::cycles_of(row.together);
    row.mac_bound = static_cast<std::uint64_t>((row.together.nonzero_macs + multipliers - 1) / multipliers);
    for (const CauseName& cause : CauseNames) report.causes.*cause.field += row.causes.*cause.field;
    report.rows.push_back(std::move(row));
  }
  report.run = std::move(run);
  return report;
}

void NetworkReport::add_run(const run::Totals& totals, bool exact) {
  bit_exact = bit_exact.value_or(true) && exact;
  if (totals.measured_cycles) batch_measured_cycles = batch_measured_cycles.value_or(0) + *totals.measured_cycles;
}

void add_network_report(Json& json, const NetworkReport& report) {
  const abi::Configuration& configuration = report.run.configuration;
  json["layers"] = Json::array();
  for (const NetworkRow& row : report.rows) {
    Json layer = layer_json(row.row);
    layer["mac_bound_cycles"] = row.mac_bound;
    add_utilisation(layer, row.together, configuration);
    layer["causes"] = causes_json(row.causes);
    json["layers"].push_back(std::move(layer));
  }
  const run::Totals& totals = report.run.totals;
  Json sums;
  sums["macs"] = totals.macs;
  sums["nonzero_macs"] = totals.nonzero_macs;
  sums["predicted_cycles"] = totals.predicted_cycles;
  sums["measured_cycles"] = cycles_json(totals.measured_cycles);
  sums["mac_utilisation"] = run::utilisation(totals.macs, report.cycles(), configuration);
  sums["nonzero_utilisation"] = run::utilisation(totals.nonzero_macs, report.cycles(), configuration);
  sums["dram_read_bytes"] = totals.dram_read_bytes;
  sums["dram_write_bytes"] = totals.dram_write_bytes;
  sums["nonzero_weights"] = totals.nonzero_weights;
  sums["weight_bytes"] = totals.weight_bytes;
  sums["code_table_bytes"] = totals.code_table_bytes;
  sums["weight_alignment_bytes"] = totals.weight_alignment_bytes;
  sums["weight_entropy_bytes"] = totals.weight_entropy_bytes;
  sums["natural_entropy_bytes"] = totals.natural_entropy_bytes;
  sums["bound"] = main_bound(report.run.layers);
  sums["frames_per_second"] = report.frames_per_second();
  sums["batch_predicted_cycles"] = report.batch_predicted_cycles();
  sums["batch_measured_cycles"] = cycles_json(report.batch_measured_cycles);
  sums["bit_exact"] = report.bit_exact ? Json(*report.bit_exact) : Json(nullptr);
  sums["causes"] = causes_json(report.causes);
  sums["lost_share"] = lost_json(report);
  json["totals"] = std::move(sums);
  if (report.traffic) json["traffic"] = traffic_json(*report.traffic);
}

std::string lost_share_text(const NetworkReport& report) {
  const auto causes = spent(report);
  std::string text = "cycles without a slot issued:";
  for (std::size_t i = 1; i < causes.size(); ++i)
    text += fmt::format("{} {} {}", i == 1 ? "" : ",", causes[i].first, percent(share_of(causes[i].second, report)));
  return text + "\n";
}

std::string network_table(const NetworkReport& report) {
  Table table({{"layer", Align::Left},
               {"operator", Align::Left},
               {"shape", Align::Left},
               {"mode", Align::Left},
               {"MACs"},
               {"density"},
               {"predicted"},
               {"measured"},
               {"MACs used"},
               {"non-zero used"},
               {"read B"},
               {"written B"},
               {"pattern", Align::Left},
               {"format", Align::Left},
               {"weights B"},
               {"B/non-zero"},
               {"entropy B"},
               {"natural B"},
               {"bound", Align::Left}});
  const auto share = [&](std::int64_t macs, std::uint64_t cycles) {
    return macs == 0 ? std::string("-") : percent(run::utilisation(macs, cycles, report.run.configuration));
  };
  for (const NetworkRow& row : report.rows) {
    const run::LayerRow& layer = row.row;
    const CycleCells cells = cycle_cells(row.together, row.with_above);
    const auto of_group = [&](std::int64_t macs) {
      return row.with_above ? std::string() : share(macs, run::cycles_of(row.together));
    };
    table.add({shortened(layer.name, LayerNameBytes), layer.op, layer.shape, layer.mode, macs_text(layer.macs),
               layer.macs == 0 ? "-" : percent(run::density(layer)), cells.predicted, cells.measured,
               of_group(row.together.macs), of_group(row.together.nonzero_macs), grouped(layer.dram_read_bytes),
               grouped(layer.dram_write_bytes), layer.pattern, layer.weight_format, grouped(layer.weight_bytes),
               per_nonzero(layer.weight_bytes, layer.nonzero_weights), whole(layer.weight_entropy_bytes),
               whole(layer.natural_entropy_bytes), layer.bound.empty() ? "-" : layer.bound});
  }
  const run::Totals& totals = report.run.totals;
  table.add_rule();
  table.add(
      {"total", "", "", "", macs_text(totals.macs),
       totals.macs == 0 ? "-" : percent(static_cast<double>(totals.nonzero_macs) / static_cast<double>(totals.macs)),
       grouped(totals.predicted_cycles), cycles_text(totals.measured_cycles), share(totals.macs, report.cycles()),
       share(totals.nonzero_macs, report.cycles()), grouped(totals.dram_read_bytes), grouped(totals.dram_write_bytes),
       "", "", grouped(totals.weight_bytes), per_nonzero(totals.weight_bytes, totals.nonzero_weights),
       whole(totals.weight_entropy_bytes), whole(totals.natural_entropy_bytes), main_bound(report.run.layers)});
  return table.text();
}

std::string worst_table(const NetworkReport& report, std::size_t worst) {
  std::vector<const NetworkRow*> order;
  for (const NetworkRow& row : report.rows)
    if (!row.with_above) order.push_back(&row);
  std::stable_sort(order.begin(), order.end(),
                   [](const NetworkRow* a, const NetworkRow* b) { return a->excess() > b->excess(); });
  order.resize(std::min(order.size(), worst));
  std::vector<Table::Column> columns{
      {"layer", Align::Left}, {"shape", Align::Left}, {"cycles"}, {"MAC bound"}, {"above"}};
  for (const CauseName& cause : CauseNames) columns.push_back({cause.name});
  Table table(std::move(columns));
  for (const NetworkRow* row : order) {
    std::vector<std::string> cells{shortened(row->together.name, LayerNameBytes), row->together.shape,
                                   grouped(row->cycles), grouped(row->mac_bound), grouped(row->excess())};
    for (const CauseName& cause : CauseNames) cells.push_back(grouped(row->causes.*cause.field));
    table.add(std::move(cells));
  }
  return fmt::format("Most cycles above the MAC bound (non-zero MACs on {} multipliers), by what the machine did:\n{}",
                     report.run.configuration.lanes * report.run.configuration.pixels, table.text());
}

}  // namespace espalier::tools

#include "placement_report.hpp"

#include <fmt/format.h>

#include "svg_chart.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

Json time_json(plan::Nanoseconds time) { return time >= plan::Impossible ? Json(nullptr) : Json(time); }

Json layer_json(const plan::LayerPlacement& layer) {
  Json json{{"name", layer.layer},    {"op", layer.op},
            {"shape", layer.shape},   {"place", plan::to_string(layer.place)},
            {"reason", layer.reason}, {"refusal", layer.refusal.empty() ? Json(nullptr) : Json(layer.refusal)},
            {"pinned", layer.pinned}, {"segment", layer.segment},
            {"macs", layer.macs},     {"nonzero_macs", layer.nonzero_macs}};
  json["cpu_ns"] = layer.host ? Json(layer.host->median) : Json(nullptr);
  json["cpu_spread_ns"] = layer.host ? Json{layer.host->low, layer.host->high} : Json(nullptr);
  json["cpu_runs"] = layer.host ? Json(layer.host->runs) : Json(nullptr);
  json["accelerator_cycles"] = layer.cycles ? Json(*layer.cycles) : Json(nullptr);
  json["accelerator_ns"] = layer.accelerator ? Json(*layer.accelerator) : Json(nullptr);
  json["gain_if_supported_ns"] = layer.gain_if_supported ? Json(*layer.gain_if_supported) : Json(nullptr);
  return json;
}

Json segment_json(const plan::MixedPlan& plan, const plan::Segment& segment) {
  Json layers = Json::array();
  for (const int layer : segment.layers) layers.push_back(plan.layers[static_cast<std::size_t>(layer)].layer);
  Json json{{"place", plan::to_string(segment.place)}, {"layers", std::move(layers)}};
  json["cycles"] = segment.compiled ? Json(segment.compiled->total_cycles) : Json(nullptr);
  json["time_ns"] = plan.costs ? Json(segment.time) : Json(nullptr);
  json["transfers_ns"] = plan.costs ? Json(segment.transfers) : Json(nullptr);
  return json;
}

Json costs_json(const plan::PlanCosts& costs) {
  const plan::Certificate& certificate = costs.certificate;
  return {{"total_ns", costs.total},
          {"cpu_ns", costs.host},
          {"accelerator_ns", costs.accelerator},
          {"transfers_ns", costs.transfers},
          {"all_cpu_ns", time_json(costs.all_host)},
          {"accelerator_first_ns", time_json(costs.accelerator_first)},
          {"greedy_ns", time_json(costs.greedy)},
          {"certificate",
           {{"optimal", certificate.optimal},
            {"bound_ns", certificate.bound},
            {"bound_any_group_ns", certificate.bound_any_group},
            {"groups_considered", certificate.groups_considered},
            {"groups_compiled", certificate.groups_compiled}}}};
}

struct Counts {
  std::size_t host = 0, accelerator = 0;
  std::int64_t macs = 0, accelerator_macs = 0;
};

Counts count(const plan::MixedPlan& plan) {
  Counts counts;
  for (const plan::LayerPlacement& layer : plan.layers) {
    const bool host = layer.place == plan::Place::Host;
    (host ? counts.host : counts.accelerator) += 1;
    counts.macs += layer.macs;
    if (!host) counts.accelerator_macs += layer.macs;
  }
  return counts;
}

double share(const Counts& counts) {
  return counts.macs == 0 ? 0 : static_cast<double>(counts.accelerator_macs) / static_cast<double>(counts.macs);
}

std::string microseconds(plan::Nanoseconds time) {
  return time >= plan::Impossible ? "-" : fmt::format("{:.1f}", static_cast<double>(time) / 1000);
}

std::string spread_text(const plan::CpuTime& time) {
  if (time.runs == 0) return microseconds(time.median);
  return fmt::format("{} ({}-{})", microseconds(time.median), microseconds(time.low), microseconds(time.high));
}

std::string totals_text(const plan::MixedPlan& plan) {
  const Counts counts = count(plan);
  std::string text =
      fmt::format("{} of {} layers on the accelerator with {} of the MACs, {} on the CPU, in {} segments\n",
                  counts.accelerator, plan.layers.size(), percent(share(counts)), counts.host, plan.segments.size());
  if (!plan.costs) return text;
  const plan::PlanCosts& costs = *plan.costs;
  text += fmt::format(
      "a frame: {} us = CPU {} + accelerator {} + transfers {}; all on the CPU {}, all that can on the accelerator {}, "
      "greedy {}; no placement is below {}{}\n",
      microseconds(costs.total), microseconds(costs.host), microseconds(costs.accelerator),
      microseconds(costs.transfers), microseconds(costs.all_host), microseconds(costs.accelerator_first),
      microseconds(costs.greedy), microseconds(costs.certificate.bound_any_group),
      costs.certificate.optimal
          ? fmt::format("; optimal among {} groups of layers", costs.certificate.groups_considered)
          : std::string());
  return text + "objective: " + plan.objective + "\n";
}

}  // namespace

Json placement_json(const plan::MixedPlan& plan) {
  const Counts counts = count(plan);
  Json json;
  json["layers"] = Json::array();
  for (const plan::LayerPlacement& layer : plan.layers) json["layers"].push_back(layer_json(layer));
  json["segments"] = Json::array();
  for (const plan::Segment& segment : plan.segments) json["segments"].push_back(segment_json(plan, segment));
  json["objective"] = plan.objective;
  json["costs"] = plan.costs ? costs_json(*plan.costs) : Json(nullptr);
  json["totals"] = {{"layers_on_cpu", counts.host},
                    {"layers_on_accelerator", counts.accelerator},
                    {"macs_on_accelerator_share", share(counts)}};
  return json;
}

std::string placement_table(const plan::MixedPlan& plan) {
  std::vector<Table::Column> columns{
      {"layer", Align::Left}, {"operator", Align::Left}, {"runs on", Align::Left}, {"segment"}};
  if (plan.costs)
    for (const char* title : {"CPU us (quartiles)", "accelerator cycles", "us", "gain us"}) columns.push_back({title});
  columns.push_back({"why", Align::Left});
  Table table(std::move(columns));
  for (const plan::LayerPlacement& layer : plan.layers) {
    std::vector<std::string> cells{shortened(layer.layer, 40), layer.op, plan::to_string(layer.place),
                                   std::to_string(layer.segment)};
    if (plan.costs) {
      cells.push_back(layer.host ? spread_text(*layer.host) : "-");
      cells.push_back(layer.cycles ? grouped(*layer.cycles) : "-");
      cells.push_back(layer.accelerator ? microseconds(*layer.accelerator) : "-");
      cells.push_back(layer.gain_if_supported ? microseconds(*layer.gain_if_supported) : "-");
    }
    cells.push_back(layer.reason);
    table.add(std::move(cells));
  }
  return table.text() + totals_text(plan);
}

std::string fallback_text(const plan::MixedPlan& plan) {
  std::string text;
  for (const plan::LayerPlacement& layer : plan.layers)
    if (layer.place == plan::Place::Host && !layer.pinned && !layer.refusal.empty())
      text += fmt::format("on the CPU: {} ({}): {}\n", layer.layer, layer.op, layer.reason);
  return text;
}

}  // namespace espalier::tools

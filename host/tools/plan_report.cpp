#include "plan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "esp_error.hpp"
#include "html_style.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"
#include "plan_quantities.hpp"
#include "svg_chart.hpp"
#include "svg_lines.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr const char* Style = R"css(
.lines .line { fill: none; stroke: var(--stroke); stroke-width: 1.6; stroke-linejoin: round; }
.lines .line.ours { stroke-width: 4; } .lines .dot { fill: var(--stroke); stroke: var(--card); }
.lines .dot.off { fill: var(--card); stroke: var(--stroke); stroke-width: 1.6; }
.s0 { --stroke: var(--c0); } .s1 { --stroke: var(--c1); } .s2 { --stroke: var(--c2); } .s3 { --stroke: var(--c3); }
.s4 { --stroke: var(--c4); } .s5 { --stroke: var(--c5); }
.lines .line.d1 { stroke-dasharray: 7 3; } .lines .line.d2 { stroke-dasharray: 2 3; }
.lines .line.none { stroke: none; }
.legend.lines svg.key { display: inline-block; width: 34px; height: 10px; margin-right: 6px; vertical-align: 0; }
td.missed { color: var(--bad); } td.best { color: var(--good); font-weight: 600; }
)css";

double milliseconds(std::int64_t weighted) {
  constexpr double NanosecondsPerMillisecond = 1e6;
  return static_cast<double>(weighted) / static_cast<double>(plan::Whole) / NanosecondsPerMillisecond;
}

bool valid(const plan::Problem& problem, const plan::Request& request, const PlanRow& row) {
  return row.plan && plan::value(problem, request, row.cost) < plan::Impossible;
}

std::string policy_text(const plan::Problem& problem, const plan::SharedPlan& plan) {
  return problem.policies[at(plan.policy)].name + ", " + problem.variants[at(plan.variant)].name;
}

/// The colour and dashes of the row with this index; the exact search is drawn strong.
std::string line_style(const std::string& planner, std::size_t index) {
  constexpr std::size_t Colours = 5;  // beside that of the exact search
  if (planner == "ours") return "s0 ours";
  return fmt::format("s{} d{}", 1 + index % Colours, index / Colours % 3);
}

std::string number(double value) { return fmt::format("{:.3f}", value); }

std::string table_row(const plan::Problem& problem, const plan::Request& request, const PlanRow& row,
                      std::int64_t best) {
  const auto cell = [](const std::string& text, const char* style = "") {
    return fmt::format("<td{}>{}</td>", *style == 0 ? "" : fmt::format(" class=\"{}\"", style), escaped(text));
  };
  std::string html =
      fmt::format("<tr><td class=\"left\" title=\"{}\">{}</td>", escaped(row.reference), escaped(row.planner));
  if (!row.plan || !row.cost.feasible) {
    html += fmt::format("<td class=\"left missed\" colspan=\"8\">{}</td>",
                        escaped(row.plan ? row.cost.reason : row.refusal));
    return html + "</tr>\n";
  }
  const bool met = valid(problem, request, row);
  const std::int64_t value = plan::value(problem, request, row.cost);
  html += cell(shortened(policy_text(problem, *row.plan), 34), "left") +
          cell(shortened(placement_text(problem, *row.plan), 44), "left");
  html += cell(number(milliseconds(row.cost.latency)), met && value == best ? "best" : "") +
          cell(number(milliseconds(row.cost.bound * plan::Whole)), met || !request.deadline ? "" : "missed") +
          cell(number(milliseconds(row.cost.energy))) +
          cell(row.cost.bottleneck > 0 ? fmt::format("{:.1f}", 1000 / milliseconds(row.cost.bottleneck)) : "-") +
          cell(percent(static_cast<double>(row.cost.accuracy) / static_cast<double>(plan::Whole)));
  html += !met ? cell("misses a limit", "missed")
               : cell(fmt::format("{:.2f}",
                                  static_cast<double>(value) / static_cast<double>(std::max<std::int64_t>(best, 1))));
  return html + "</tr>\n";
}

std::string table(const plan::Problem& problem, const plan::Request& request, const std::vector<PlanRow>& rows) {
  std::int64_t best = plan::Impossible;
  for (const PlanRow& row : rows)
    if (row.plan) best = std::min(best, plan::value(problem, request, row.cost));
  std::string html =
      "<h2>Algorithms</h2>\n<p>Every plan is priced by the same cost model. The last number is the plan's value "
      "relative to the best; an algorithm's source shows when the mouse rests on its name.</p>\n<div "
      "class=\"card\"><table>\n<tr><th class=\"left\">algorithm</th>"
      "<th class=\"left\">exits, variant</th><th class=\"left\">layers</th><th>latency ms</th><th>bound ms</th>"
      "<th>energy mJ</th><th>frames/s</th><th>accuracy</th><th>of best</th></tr>\n";
  for (const PlanRow& row : rows) html += table_row(problem, request, row, best);
  return html + "</table></div>\n";
}

std::string tile(const std::string& value, const std::string& label) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escaped(value), escaped(label));
}

std::string tiles(const plan::Problem& problem, const plan::Request& request, const std::vector<PlanRow>& rows) {
  const PlanRow* best = nullptr;
  for (const PlanRow& row : rows)
    if (valid(problem, request, row) &&
        (best == nullptr || plan::value(problem, request, row.cost) <= plan::value(problem, request, best->cost)))
      best = &row;
  if (best == nullptr) return "<p>No plan meets the limits.</p>\n";
  std::string html =
      "<div class=\"tiles\">\n" + tile(number(milliseconds(best->cost.latency)) + " ms", "latency") +
      tile(number(milliseconds(best->cost.bound * plan::Whole)) + " ms",
           request.deadline
               ? fmt::format("bound; {} ms are allowed", number(milliseconds(*request.deadline * plan::Whole)))
               : "bound") +
      tile(number(milliseconds(best->cost.energy)) + " mJ", "energy of a sample") +
      tile(fmt::format("{:.1f}", best->cost.bottleneck > 0 ? 1000 / milliseconds(best->cost.bottleneck) : 0.0),
           "frames per second in a pipeline");
  if (!best->plan->certificate.empty()) {
    const plan::Certificate& certificate = best->plan->certificate.front();
    html +=
        certificate.proven()
            ? tile("proven", "no plan is better")
            : tile(percent(1 - static_cast<double>(certificate.lower_bound) / static_cast<double>(certificate.value)),
                   "gap between this plan and the proven bound");
  }
  return html + "</div>\n<p>" + escaped(best->planner + ": " + placement_text(problem, *best->plan)) + "</p>\n";
}

struct SweepPoint {
  double bits_per_second = 0;
  plan::Problem problem;
  std::vector<PlanRow> rows;
};

/// 50 kbit/s to 1 Gbit/s for the way up; the way down keeps its ratio to it.
std::vector<SweepPoint> sweep(const plan::Problem& problem, const plan::Request& request,
                              const std::vector<PlanRow>& rows, Console& console) {
  constexpr int Points = 14;
  constexpr double Low = 50e3, High = 1e9, Bits = 8;
  double ratio = 1;
  for (const plan::Link& up : problem.links)
    for (const plan::Link& down : problem.links)
      if (up.from == problem.home && down.to == problem.home && up.to == down.from && up.bytes_per_second > 0 &&
          problem.devices[at(up.to)].kind == plan::DeviceKind::Remote)
        ratio = static_cast<double>(down.bytes_per_second) / static_cast<double>(up.bytes_per_second);
  std::vector<SweepPoint> points;
  for (int index = 0; index < Points; ++index) {
    SweepPoint point{Low * std::pow(High / Low, index / (Points - 1.0)), problem, {}};
    console.progress(fmt::format("planning at {:.3g} Mbit/s", point.bits_per_second / 1e6));
    LinkChange change;
    change.up = std::llround(point.bits_per_second / Bits);
    change.down = std::min<std::int64_t>(std::llround(point.bits_per_second / Bits * ratio), plan::LargestStep);
    apply_link(change, point.problem);
    for (const PlanRow& row : rows) point.rows.push_back(plan_row(row.planner, point.problem, request));
    points.push_back(std::move(point));
  }
  return points;
}

/// The name and unit of what the objective minimises.
struct ValueName {
  const char* name;
  const char* unit;
};
ValueName value_name(plan::Objective objective) {
  switch (objective) {
    case plan::Objective::Latency:
      return {"Latency", "latency ms"};
    case plan::Objective::Energy:
      return {"Energy", "energy mJ"};
    case plan::Objective::Throughput:
      return {"Frame interval", "frame interval ms"};
  }
  return {"", ""};
}

double shown_value(const plan::Request& request, const plan::Evaluation& cost) {
  switch (request.objective) {
    case plan::Objective::Latency:
      return milliseconds(cost.latency);
    case plan::Objective::Energy:
      return milliseconds(cost.energy);
    case plan::Objective::Throughput:
      return milliseconds(cost.bottleneck);
  }
  return 0;
}

std::string bandwidth_chart(const plan::Request& request, const std::vector<SweepPoint>& points) {
  std::vector<ChartLine> lines;
  // Far worse plans are left out, so that the others can be told apart.
  constexpr double MostOfBest = 50;
  double low = 1e300, high = 0, limit = 0;
  for (const SweepPoint& point : points)
    for (const PlanRow& row : point.rows)
      if (valid(point.problem, request, row)) low = std::min(low, shown_value(request, row.cost));
  limit = low * MostOfBest;
  for (std::size_t row = 0; row < points.front().rows.size(); ++row) {
    const std::string& planner = points.front().rows[row].planner;
    ChartLine line{planner, line_style(planner, row), {}, {}, planner == "ours"};
    for (const SweepPoint& point : points) {
      line.x.push_back(point.bits_per_second);
      const bool shown =
          valid(point.problem, request, point.rows[row]) && shown_value(request, point.rows[row].cost) <= limit;
      line.y.push_back(shown ? std::optional(shown_value(request, point.rows[row].cost)) : std::nullopt);
      if (!shown) continue;
      high = std::max(high, *line.y.back());
    }
    lines.push_back(std::move(line));
  }
  // The exact search lies under the others, which stay visible where they are as good.
  std::stable_partition(lines.begin(), lines.end(), [](const ChartLine& line) { return line.label == "ours"; });
  const ValueName name = value_name(request.objective);
  std::string html = fmt::format(
      "<h2>{} against bandwidth</h2>\n<p>Bandwidth from home to the server, bit/s; the way back keeps its ratio. A "
      "line "
      "ends where its algorithm has no plan within deadline and accuracy floor, or one beyond the chart.</p>\n",
      name.name);
  if (high <= 0) return html + "<p>No plan at any bandwidth.</p>\n";
  return html + "<div class=\"card\">" +
         line_chart(logarithmic_axis("bit/s", points.front().bits_per_second, points.back().bits_per_second),
                    logarithmic_axis(name.unit, low, high), lines) +
         line_legend(lines) + "</div>\n";
}

/// The layers of a plan by machine, neighbours on one machine together.
std::vector<ChartColumn::Piece> pieces(const plan::Problem& problem, const plan::SharedPlan& plan) {
  std::vector<ChartColumn::Piece> result;
  const double share = 1.0 / static_cast<double>(problem.layers.size());
  for (const plan::PlanStep& step : plan.steps) {
    const bool tiled = !step.tiles.empty();
    const int colour = tiled ? static_cast<int>(problem.devices.size()) : step.device;
    const double height = share * (step.last - step.first + 1);
    if (!result.empty() && result.back().colour == colour) {
      result.back().share += height;
      continue;
    }
    result.push_back({height, colour,
                      problem.layers[at(step.first)].name +
                          " and on: " + (tiled ? std::string("as tiles") : problem.devices[at(step.device)].name)});
  }
  return result;
}

/// Per bandwidth a column of the layers in their order, coloured by machine.
std::string choice_chart(const std::vector<SweepPoint>& points) {
  std::vector<ChartColumn> columns;
  const std::size_t last = points.front().rows.size() - 1;
  const double half = std::sqrt(points[1].bits_per_second / points[0].bits_per_second);
  for (const SweepPoint& point : points) {
    ChartColumn column{point.bits_per_second / half, point.bits_per_second * half, {}, {}};
    const PlanRow& row = point.rows[last];
    if (row.plan && row.cost.feasible) {
      const plan::SharedPlan& plan = *row.plan;
      column.head =
          shortened(point.problem.exits[at(point.problem.policies[at(plan.policy)].leaves.back().exit)].name, 9);
      column.pieces = pieces(point.problem, plan);
    }
    columns.push_back(std::move(column));
  }
  ChartAxis axis = logarithmic_axis("bit/s", columns.front().from, columns.back().to);
  std::string html = fmt::format(
      "<h2>Chosen exit and cut</h2>\n<p>{}, by bandwidth: the exit it goes to, and the layers from first to last in "
      "the "
      "colour of the machine that runs them.</p>\n<div class=\"card\">",
      escaped(points.front().rows[last].planner));
  html += column_chart(axis, columns, "first", "last") + "<div class=\"legend\">\n";
  const plan::Problem& problem = points.front().problem;
  for (std::size_t device = 0; device < problem.devices.size(); ++device)
    html += fmt::format("<span><i class=\"c{}\"></i>{}</span>\n", device, escaped(problem.devices[device].name));
  html += fmt::format("<span><i class=\"c{}\"></i>tiles on several</span>\n", problem.devices.size());
  return html + "</div></div>\n";
}

struct FrontPoint {
  std::string name;
  double accuracy = 0, latency = 0;
  bool on_front = true;
};

/// The exact search for each policy and variant alone, without the accuracy floor.
std::vector<FrontPoint> front_points(const plan::Problem& problem, const plan::Request& request) {
  std::vector<FrontPoint> points;
  for (const plan::Policy& policy : problem.policies)
    for (std::size_t variant = 0; variant < problem.variants.size(); ++variant) {
      plan::Problem one = problem;
      one.accuracy_floor = 0;
      one.policies = {policy};
      one.policies.front().accuracy = {policy.accuracy[variant]};
      one.variants = {problem.variants[variant]};
      std::erase_if(one.groups, [&](const plan::Group& group) { return at(group.variant) != variant; });
      for (plan::Group& group : one.groups) group.variant = 0;
      const PlanRow row = plan_row("ours", one, request);
      if (!valid(one, request, row)) continue;
      points.push_back({policy.name + ", " + problem.variants[variant].name,
                        static_cast<double>(row.cost.accuracy) * 100 / static_cast<double>(plan::Whole),
                        shown_value(request, row.cost), true});
    }
  for (FrontPoint& point : points)
    for (const FrontPoint& other : points)
      if (other.accuracy >= point.accuracy && other.latency <= point.latency &&
          (other.accuracy > point.accuracy || other.latency < point.latency))
        point.on_front = false;
  std::sort(points.begin(), points.end(),
            [](const FrontPoint& a, const FrontPoint& b) { return a.latency < b.latency; });
  return points;
}

std::string front_chart(const plan::Problem& problem, const plan::Request& request) {
  const std::vector<FrontPoint> points = front_points(problem, request);
  std::string html =
      "<h2>Accuracy and latency</h2>\n<p>The best plan of every exit policy in every variant, accuracy floor aside; "
      "the "
      "line is the Pareto front.</p>\n";
  if (points.empty()) return html + "<p>No plan meets the deadline.</p>\n";
  ChartLine front{"Pareto front", "s0 ours", {}, {}, true}, rest{"behind it", "s1 none off", {}, {}, true};
  double low = 100, high = 0;
  std::string list =
      "<table><tr><th class=\"left\">exits, variant</th><th>accuracy</th><th>value</th>"
      "<th class=\"left\"></th></tr>\n";
  for (const FrontPoint& point : points) {
    ChartLine& line = point.on_front ? front : rest;
    line.x.push_back(point.latency);
    line.y.emplace_back(point.accuracy);
    low = std::min(low, point.accuracy);
    high = std::max(high, point.accuracy);
    list +=
        fmt::format("<tr><td class=\"left\">{}</td><td>{:.2f}%</td><td>{:.3f}</td><td class=\"left\">{}</td></tr>\n",
                    escaped(point.name), point.accuracy, point.latency, point.on_front ? "on the front" : "");
  }
  constexpr double Margin = 1.25;  // around the points
  ChartAxis accuracy{"accuracy %", {}, {}, false};
  const double step = high - low > 10 ? 5 : high - low > 2 ? 1 : 0.5;
  for (double tick = std::floor(low / step) * step - step; tick < high + 2 * step; tick += step) {
    accuracy.ticks.push_back(tick);
    accuracy.labels.push_back(fmt::format("{:g}", tick));
  }
  return html + "<div class=\"card\">" +
         line_chart(logarithmic_axis(value_name(request.objective).unit, points.front().latency / Margin,
                                     points.back().latency * Margin),
                    accuracy, {front, rest}) +
         list + "</table></div>\n";
}

}  // namespace

PlanRow plan_row(const std::string& planner, const plan::Problem& problem, const plan::Request& request) {
  PlanRow row{planner, {}, std::nullopt, {}, {}};
  for (const plan::Planner& one : plan::planners())
    if (one.name == planner) row.reference = one.reference;
  try {
    row.plan = plan::run_planner(planner, problem, request);
    row.cost = plan::evaluate(problem, *row.plan);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unsupported) throw;
    row.refusal = error.what();
  }
  return row;
}

std::string placement_text(const plan::Problem& problem, const plan::SharedPlan& plan) {
  std::string text, running;
  int count = 0;
  const auto flush = [&] {
    if (count > 0) text += fmt::format("{}{}{}", text.empty() ? "" : ", ", count, running);
    count = 0;
  };
  for (const plan::PlanStep& step : plan.steps) {
    const std::string name = step.tiles.empty() ? " on " + problem.devices[at(step.device)].name
                                                : fmt::format(" in {} tiles", step.tiles.size());
    if (name != running) flush();
    running = name;
    count += step.last - step.first + 1;
  }
  flush();
  return text;
}

std::string plan_report(const plan::Problem& problem, const plan::Request& request, const std::vector<PlanRow>& rows,
                        Console& console) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Espalier plan: {0}</title>\n"
      "<style>{1}{2}</style></head>\n<body><main>\n<h1>Plan of {0}</h1>\n<p>{3} layers on {4}; objective {5}{6}.</p>\n",
      escaped(problem.name), HtmlStyle, Style, problem.layers.size(),
      [&] {
        std::string names;
        for (const plan::Device& device : problem.devices) names += (names.empty() ? "" : ", ") + escaped(device.name);
        return names;
      }(),
      plan::to_string(request.objective),
      request.deadline ? fmt::format(", deadline {} ms", number(milliseconds(*request.deadline * plan::Whole))) : "");
  html += tiles(problem, request, rows) + table(problem, request, rows);
  const bool remote = std::any_of(problem.devices.begin(), problem.devices.end(),
                                  [](const plan::Device& device) { return device.kind == plan::DeviceKind::Remote; });
  if (remote && !rows.empty()) {
    const std::vector<SweepPoint> points = sweep(problem, request, rows, console);
    html += bandwidth_chart(request, points) + choice_chart(points);
  }
  return html + front_chart(problem, request) + "</main></body></html>\n";
}

}  // namespace espalier::tools

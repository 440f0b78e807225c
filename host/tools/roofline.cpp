#include "roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "svg_chart.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr double Width = 920, Height = 470;
constexpr double PlotLeft = 66, PlotTop = 12, PlotBottom = 420;
constexpr double PlotRight = 900;
constexpr double ChipStrip = 110;  // at the right, for layers that move no bytes
constexpr std::size_t MostLabels = 12;

using run::cycles_of;

double per_cycle(std::int64_t macs, const run::LayerRow& row) {
  return static_cast<double>(macs) / static_cast<double>(cycles_of(row));
}

/// A logarithmic axis from `low` to `high` (values) between two coordinates.
struct Axis {
  double low = 1, high = 10;
  double from = 0, to = 1;
  double at(double value) const {
    return from + (to - from) * std::log(std::clamp(value, low, high) / low) / std::log(high / low);
  }
};

struct Tick {
  double value = 1;
  bool labelled = true;
};

/// 1, 2 and 5 of every decade within the axis; only the ones have labels where more would crowd.
std::vector<Tick> ticks(const Axis& axis) {
  std::vector<Tick> result;
  const bool crowded = std::abs(axis.to - axis.from) < 90 * std::log10(axis.high / axis.low);
  for (int decade = static_cast<int>(std::floor(std::log10(axis.low))); std::pow(10, decade) <= axis.high; ++decade)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, decade);
      if (value >= axis.low * 0.999 && value <= axis.high * 1.001) result.push_back({value, factor == 1.0 || !crowded});
    }
  return result;
}

/// The next 1, 2 or 5 times a power of ten at or below `value`.
double round_down(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {5.0, 2.0})
    if (power * factor <= value) return power * factor;
  return power;
}

double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (power * factor >= value) return power * factor;
  return power * 10;
}

std::string number(double value) {
  return value < 1000 ? fmt::format("{:.4g}", value) : grouped(static_cast<std::uint64_t>(std::llround(value)));
}

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  bool meets(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

class Plot {
 public:
  Plot(const run::RunReport& report, const compile::MemoryParameters& memory);
  std::string svg();
  bool on_chip() const { return on_chip_; }

 private:
  struct Point {
    const run::LayerRow* row = nullptr;
    bool whole = false;  // the whole network
    double x = 0, full = 0, hollow = 0, radius = 0;
  };

  void place_axes();
  void add_point(const run::LayerRow& row, bool whole);
  double x_of(const run::LayerRow& row) const;
  std::string grid() const;
  std::string roofs();
  std::string shape(const Point& point) const;
  std::string labels();
  bool free(const Box& box) const;
  std::string label(const Point& point);

  run::LayerRow total_;
  std::vector<run::LayerRow> joined_;  // of the report
  std::vector<const run::LayerRow*> rows_;
  double peak_;
  double bandwidth_;
  bool on_chip_ = false;
  Axis x_, y_;
  std::vector<Point> points_;
  std::vector<Box> taken_, links_;
};

bool drawable(const run::LayerRow& row) { return row.macs > 0 && cycles_of(row) > 0; }

Plot::Plot(const run::RunReport& report, const compile::MemoryParameters& memory)
    : peak_(static_cast<double>(report.configuration.lanes) * report.configuration.pixels), bandwidth_(memory.bytes) {
  total_ = total_row(report, "whole network");
  joined_ = run::joined(report.layers);
  for (const run::LayerRow& row : joined_)
    if (drawable(row)) rows_.push_back(&row);
  if (rows_.empty()) return;
  on_chip_ = std::any_of(rows_.begin(), rows_.end(), [](const auto* row) { return std::isinf(intensity(*row)); });
  place_axes();
  for (const run::LayerRow* row : rows_) add_point(*row, false);
  if (rows_.size() > 1) add_point(total_, true);
  // Large points first, so that small ones stay visible.
  std::stable_sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.radius > b.radius; });
}

void Plot::place_axes() {
  const double ridge = peak_ / bandwidth_;
  double left = ridge / 2, right = ridge * 4, bottom = peak_ / 8, top = peak_ * 1.5;
  for (const run::LayerRow* row : rows_) {
    if (const double x = intensity(*row); std::isfinite(x)) {
      left = std::min(left, x / 1.3);
      right = std::max(right, x * 1.3);
    }
    bottom = std::min(bottom, per_cycle(std::max<std::int64_t>(row->nonzero_macs, 1), *row) / 1.3);
    top = std::max(top, per_cycle(row->macs, *row) * 1.3);
  }
  x_ = {round_down(left), round_up(right), PlotLeft, PlotRight - (on_chip_ ? ChipStrip : 0)};
  y_ = {round_down(bottom), round_up(top), PlotBottom, PlotTop};
}

double Plot::x_of(const run::LayerRow& row) const {
  const double value = intensity(row);
  return std::isinf(value) ? PlotRight - ChipStrip / 2 : x_.at(value);
}

void Plot::add_point(const run::LayerRow& row, bool whole) {
  Point point;
  point.row = &row;
  point.whole = whole;
  point.x = x_of(row);
  point.full = y_.at(per_cycle(row.macs, row));
  point.hollow = y_.at(per_cycle(row.nonzero_macs, row));
  // The area of a point grows with its share of the cycles.
  const double share =
      static_cast<double>(cycles_of(row)) / static_cast<double>(std::max<std::uint64_t>(cycles_of(total_), 1));
  point.radius = whole ? 8 : std::clamp(16 * std::sqrt(share), 3.5, 9.0);
  const double r = point.radius;
  taken_.push_back({point.x - r, point.full - r, point.x + r, point.full + r});
  taken_.push_back({point.x - r, point.hollow - r, point.x + r, point.hollow + r});
  links_.push_back({point.x - 1, point.full, point.x + 1, point.hollow});
  points_.push_back(point);
}

std::string text(double x, double y, const char* anchor, const char* style, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y, anchor, style,
                     escaped(words));
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                     style);
}

std::string Plot::grid() const {
  std::string svg;
  for (const Tick& tick : ticks(x_)) {
    const double x = x_.at(tick.value);
    svg += line(x, PlotTop, x, PlotBottom, "grid");
    if (tick.labelled) svg += text(x, PlotBottom + 16, "middle", "axis", number(tick.value));
  }
  for (const Tick& tick : ticks(y_)) {
    const double y = y_.at(tick.value);
    svg += line(PlotLeft, y, PlotRight, y, "grid");
    if (tick.labelled) svg += text(PlotLeft - 8, y + 4, "end", "axis", number(tick.value));
  }
  svg += text((x_.from + x_.to) / 2, PlotBottom + 38, "middle", "axis",
              "MACs of the dense network per byte moved, in the busier direction of the memory port");
  svg += fmt::format(
      "<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\" class=\"axis\">MACs per "
      "cycle</text>\n",
      (PlotTop + PlotBottom) / 2);
  if (on_chip_) {
    svg += line(x_.to, PlotTop, x_.to, PlotBottom, "edge");
    svg += text((x_.to + PlotRight) / 2, PlotBottom + 16, "middle", "axis", "on chip:");
    svg += text((x_.to + PlotRight) / 2, PlotBottom + 30, "middle", "axis", "no bytes moved");
  }
  return svg;
}

std::string Plot::roofs() {
  const double ridge = peak_ / bandwidth_;
  const double start = std::max(x_.low, y_.low / bandwidth_);
  const double end = std::min(x_.high, y_.high / bandwidth_);
  const double level = y_.at(peak_);
  std::string svg = line(x_.at(start), y_.at(start * bandwidth_), x_.at(ridge), level, "roof");
  // Beyond the ridge only MACs that are skipped can lie above the array's roof; the memory limits them too.
  if (end > ridge) svg += line(x_.at(ridge), level, x_.at(end), y_.at(end * bandwidth_), "roof beyond");
  svg += line(x_.at(ridge), level, PlotRight, level, "roof");
  const std::string array = fmt::format("array: {} MACs per cycle", number(peak_));
  const double wide = 6.5 * static_cast<double>(array.size());
  // Above the roof at the right, else where no point is.
  Box box{PlotRight - 6 - wide, level - 18, PlotRight - 6, level - 2};
  for (const Box& place : {box, Box{box.left, level + 3, box.right, level + 19},
                           Box{x_.at(ridge) + 8, level + 3, x_.at(ridge) + 8 + wide, level + 19}})
    if (free(place)) {
      box = place;
      break;
    }
  svg += text(box.left, box.bottom - 4, "start", "mark", array);
  taken_.push_back(box);

  const double angle = std::atan2(y_.at(end * bandwidth_) - y_.at(start * bandwidth_), x_.at(end) - x_.at(start));
  const double length = std::hypot(x_.at(ridge) - x_.at(start), level - y_.at(start * bandwidth_));
  const std::string slope = fmt::format("memory: {} bytes per cycle", number(bandwidth_));
  // On the slope if that is long enough for it, else on its continuation.
  const bool fits = length > 6.5 * static_cast<double>(slope.size());
  const double middle = fits ? std::sqrt(start * ridge) : std::sqrt(ridge * std::max(end, ridge));
  svg += fmt::format(
      "<text transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\" y=\"-7\" text-anchor=\"middle\" "
      "class=\"mark\">{}</text>\n",
      x_.at(middle), y_.at(middle * bandwidth_), angle * 180 / std::numbers::pi, slope);
  const double half = 3.2 * static_cast<double>(slope.size());
  // Boxes along the slanted text.
  const int boxes = static_cast<int>(2 * half / 12) + 1;
  for (int i = 0; i < boxes; ++i) {
    const double along = 12 * i - half;
    const double x = x_.at(middle) + along * std::cos(angle) + 11 * std::sin(angle);
    const double y = y_.at(middle * bandwidth_) + along * std::sin(angle) - 11 * std::cos(angle);
    taken_.push_back({x - 8, y - 8, x + 8, y + 8});
  }
  return svg;
}

std::string Plot::shape(const Point& point) const {
  const run::LayerRow& row = *point.row;
  const double x = intensity(row);
  std::string hint = fmt::format(
      "{}\n{} {}\n{} MACs per cycle, {} of them non-zero\n{}\n{} cycles, {} of the array on non-zero MACs", row.name,
      row.op, row.shape, number(per_cycle(row.macs, row)), number(per_cycle(row.nonzero_macs, row)),
      std::isinf(x) ? "no bytes moved" : fmt::format("{} MACs per byte", number(x)), grouped(cycles_of(row)),
      percent(per_cycle(row.nonzero_macs, row) / peak_));
  if (!row.bound.empty()) hint += "\nbound: " + row.bound;
  std::string svg = fmt::format("<g class=\"{}\"><title>{}</title>\n",
                                point.whole ? "whole" : "bound-" + escaped(row.bound), escaped(hint));
  svg += line(point.x, point.full, point.x, point.hollow, "link");
  const auto mark = [&](double y, const char* style) {
    const double r = point.radius;
    if (!point.whole)
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"{}\"/>\n", point.x, y, r, style);
    return fmt::format(
        "<path d=\"M{:.1f} {:.1f}l{r:.1f} {r:.1f}l-{r:.1f} {r:.1f}l-{r:.1f} -{r:.1f}z\" class=\"{style}\"/>\n", point.x,
        y - r, fmt::arg("r", r), fmt::arg("style", style));
  };
  if (row.nonzero_macs > 0) svg += mark(point.hollow, "hollow");
  return svg + mark(point.full, "full") + "</g>\n";
}

/// No point, line between points or text is in the box.
bool Plot::free(const Box& box) const {
  const auto meets = [&](const Box& other) { return box.meets(other); };
  return std::none_of(taken_.begin(), taken_.end(), meets) && std::none_of(links_.begin(), links_.end(), meets);
}

/// The name beside its full point where that hides nothing; empty if there is no room.
std::string Plot::label(const Point& point) {
  const std::string name = shortened(point.row->name, 26);
  const double width = 6.4 * static_cast<double>(name.size()), gap = point.radius + 4;
  struct Place {
    double x, y;
    const char* anchor;
  };
  for (const Place& place : {Place{point.x + gap, point.full + 4, "start"}, Place{point.x - gap, point.full + 4, "end"},
                             Place{point.x, point.full - gap - 1, "middle"}}) {
    const double left = place.anchor[0] == 's' ? place.x : place.x - (place.anchor[0] == 'e' ? width : width / 2);
    const Box box{left, place.y - 11, left + width, place.y + 3};
    if (box.left < PlotLeft || box.right > PlotRight || box.top < PlotTop || box.bottom > PlotBottom) continue;
    if (!free(box)) continue;
    taken_.push_back(box);
    return text(place.x, place.y, place.anchor, "mark", name);
  }
  return {};
}

std::string Plot::labels() {
  std::string svg;
  std::size_t count = 0;
  for (const Point& point : points_)
    if (point.whole) svg += label(point);
  for (const Point& point : points_) {
    if (point.whole || count == MostLabels) continue;
    const std::string name = label(point);
    count += name.empty() ? 0 : 1;
    svg += name;
  }
  return svg;
}

std::string Plot::svg() {
  if (rows_.empty()) return {};
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" class=\"roofline\">\n", Width, Height);
  svg += grid() + roofs();
  for (const Point& point : points_) svg += shape(point);
  return svg + labels() + "</svg>\n";
}

std::string legend() {
  std::string html = "<div class=\"legend\">\n";
  for (const char* bound : {"compute", "weights", "memory", "output"})
    html += fmt::format("<span class=\"bound-{0}\"><i class=\"dot full\"></i>bound by {0}</span>\n", bound);
  return html +
         "<span class=\"whole\"><i class=\"dot full\"></i>all MACs of the dense network</span>\n"
         "<span class=\"whole\"><i class=\"dot hollow\"></i>non-zero MACs only</span>\n"
         "<span class=\"whole\"><i class=\"diamond full\"></i>whole network</span></div>\n";
}

/// Names the layers that the plot cannot show.
std::string absent(const run::RunReport& report) {
  std::string names;
  std::size_t count = 0;
  std::uint64_t cycles = 0;
  for (const run::LayerRow& row : run::joined(report.layers)) {
    if (drawable(row)) continue;
    names += fmt::format("{}{} ({}{})", names.empty() ? "" : ", ", row.name, grouped(cycles_of(row)),
                         row.bound.empty() ? "" : ", " + row.bound);
    cycles += cycles_of(row);
    ++count;
  }
  if (count == 0) return {};
  return fmt::format(
      "<p class=\"note\">Without MACs and therefore not drawn, with their cycles and bounds, {} of all cycles "
      "together: {}.</p>\n",
      percent(static_cast<double>(cycles) /
              static_cast<double>(
                  std::max<std::uint64_t>(report.totals.measured_cycles.value_or(report.totals.predicted_cycles), 1))),
      escaped(names));
}

}  // namespace

double intensity(const run::LayerRow& row) {
  const std::uint64_t bytes = std::max(row.dram_read_bytes, row.dram_write_bytes);
  if (bytes == 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(row.macs) / static_cast<double>(bytes);
}

std::string roofline_section(const run::RunReport& report, const compile::MemoryParameters& memory) {
  Plot plot(report, memory);
  const std::string svg = plot.svg();
  if (svg.empty()) return {};
  return "<h2>Roofline</h2>\n<p>A layer is a full point at all MACs of the dense network per cycle, above a hollow one "
         "at "
         "its non-zero MACs; in dense layers they coincide. A full point above the array's roof is faster than any "
         "dense "
         "execution; a hollow one at the roof keeps every multiplier busy; a full one at the slope uses the whole "
         "memory port. A layer whose data came while the layer before was computed can lie above the slope. Larger "
         "points "
         "took more cycles.</p>\n<div class=\"card\">" +
         svg + legend() + "</div>\n" + absent(report);
}

}  // namespace espalier::tools

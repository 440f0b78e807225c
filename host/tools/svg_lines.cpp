#include "svg_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svg_chart.hpp"

namespace espalier::tools {
namespace {

constexpr double Width = 920, Left = 76, Right = 900;
constexpr double LineTop = 12, LineBottom = 400, LineHeight = 450;
constexpr double ColumnTop = 30, ColumnBottom = 250, ColumnHeight = 300;

/// A value between two coordinates.
double place(const ChartAxis& axis, double value, double from, double to) {
  const double low = axis.ticks.front(), high = axis.ticks.back();
  const double inside = std::clamp(value, low, high);
  const double share = axis.logarithmic ? std::log(inside / low) / std::log(high / low) : (inside - low) / (high - low);
  return from + (to - from) * share;
}

std::string text_at(double x, double y, const char* anchor, const char* style, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y, anchor, style,
                     escaped(text));
}

std::string x_axis(const ChartAxis& axis, double top, double bottom) {
  std::string svg;
  for (std::size_t tick = 0; tick < axis.ticks.size(); ++tick) {
    const double x = place(axis, axis.ticks[tick], Left, Right);
    svg += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" class=\"grid\"/>\n", x, top, bottom);
    if (!axis.labels[tick].empty()) svg += text_at(x, bottom + 17, "middle", "axis", axis.labels[tick]);
  }
  return svg + text_at((Left + Right) / 2, bottom + 38, "middle", "axis", axis.title);
}

std::string y_axis(const ChartAxis& axis, double top, double bottom) {
  std::string svg;
  for (std::size_t tick = 0; tick < axis.ticks.size(); ++tick) {
    const double y = place(axis, axis.ticks[tick], bottom, top);
    svg += fmt::format("<line x1=\"{1}\" x2=\"{2}\" y1=\"{0:.1f}\" y2=\"{0:.1f}\" class=\"grid\"/>\n", y, Left, Right);
    if (!axis.labels[tick].empty()) svg += text_at(Left - 8, y + 4, "end", "axis", axis.labels[tick]);
  }
  return svg + fmt::format(
                   "<text transform=\"translate(16 {:.1f}) rotate(-90)\" text-anchor=\"middle\" "
                   "class=\"axis\">{}</text>\n",
                   (top + bottom) / 2, escaped(axis.title));
}

std::string number(double value) {
  if (value >= 1e9) return fmt::format("{:g}G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e3) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", value);
}

std::string drawn(const ChartAxis& x, const ChartAxis& y, const ChartLine& line) {
  std::string path, dots;
  bool pen = false;
  for (std::size_t index = 0; index < line.x.size(); ++index) {
    if (!line.y[index]) {
      pen = false;
      continue;
    }
    const double across = place(x, line.x[index], Left, Right);
    const double up = place(y, *line.y[index], LineBottom, LineTop);
    path += fmt::format("{}{:.1f} {:.1f}", pen ? "L" : "M", across, up);
    pen = true;
    if (line.points)
      dots += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"dot {}\"><title>{}</title></circle>\n", across, up,
          line.style, escaped(fmt::format("{}: {}, {}", line.label, number(line.x[index]), number(*line.y[index]))));
  }
  return fmt::format("<path d=\"{}\" class=\"line {}\"><title>{}</title></path>\n{}", path, line.style,
                     escaped(line.label), dots);
}

}  // namespace

ChartAxis logarithmic_axis(const std::string& title, double low, double high) {
  ChartAxis axis{title, {}, {}, true};
  const double floor = std::max(low, 1e-9), ceiling = std::max(high, floor * 1.01);
  const auto first = static_cast<int>(std::floor(std::log10(floor)));
  const auto last = static_cast<int>(std::ceil(std::log10(ceiling)));
  const bool crowded = last - first > 4;
  for (int decade = first; decade <= last; ++decade)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, decade);
      axis.ticks.push_back(value);
      axis.labels.push_back(factor == 1.0 || !crowded ? number(value) : std::string());
    }
  // The ends are the ticks next to the values.
  const auto drop = [&](std::size_t index) {
    axis.ticks.erase(axis.ticks.begin() + static_cast<std::ptrdiff_t>(index));
    axis.labels.erase(axis.labels.begin() + static_cast<std::ptrdiff_t>(index));
  };
  constexpr double Slack = 1e-9;
  while (axis.ticks.size() > 2 && axis.ticks[1] <= floor * (1 + Slack)) drop(0);
  while (axis.ticks.size() > 2 && axis.ticks[axis.ticks.size() - 2] >= ceiling * (1 - Slack))
    drop(axis.ticks.size() - 1);
  return axis;
}

std::string line_chart(const ChartAxis& x, const ChartAxis& y, const std::vector<ChartLine>& lines) {
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" class=\"lines\">\n", Width, LineHeight);
  svg += x_axis(x, LineTop, LineBottom) + y_axis(y, LineTop, LineBottom);
  for (const ChartLine& line : lines) svg += drawn(x, y, line);
  return svg + "</svg>\n";
}

std::string line_legend(const std::vector<ChartLine>& lines) {
  std::string html = "<div class=\"legend lines\">\n";
  for (const ChartLine& line : lines)
    html += fmt::format(
        "<span><svg viewBox=\"0 0 34 10\" class=\"key\"><path d=\"M1 5L33 5\" class=\"line {}\"/></svg>{}</span>\n",
        line.style, escaped(line.label));
  return html + "</div>\n";
}

std::string column_chart(const ChartAxis& x, const std::vector<ChartColumn>& columns, const std::string& top,
                         const std::string& bottom) {
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", Width, ColumnHeight);
  svg += x_axis(x, ColumnTop, ColumnBottom);
  svg += text_at(Left - 8, ColumnTop + 10, "end", "axis", top) + text_at(Left - 8, ColumnBottom, "end", "axis", bottom);
  for (const ChartColumn& column : columns) {
    const double from = place(x, column.from, Left, Right), to = place(x, column.to, Left, Right);
    svg += text_at((from + to) / 2, ColumnTop - 8, "middle", "axis", column.head);
    double y = ColumnTop;
    for (const ChartColumn::Piece& piece : column.pieces) {
      const double height = piece.share * (ColumnBottom - ColumnTop);
      svg += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\" class=\"c{}\"><title>{}</title></rect>\n",
          from + 0.5, y, std::max(to - from - 1, 0.5), height, piece.colour, escaped(piece.hint));
      y += height;
    }
  }
  return svg + "</svg>\n";
}

}  // namespace espalier::tools

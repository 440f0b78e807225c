#include "svg_chart.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr int LabelWidth = 190;
constexpr int PlotWidth = 560;
constexpr int ValueWidth = 170;
constexpr int RowHeight = 24;
constexpr int Width = LabelWidth + PlotWidth + ValueWidth;

double length(double value, double limit) { return limit <= 0 ? 0.0 : PlotWidth * std::clamp(value / limit, 0.0, 1.0); }

std::string text_at(double x, double y, const char* anchor, const char* style, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y, anchor, style,
                     escaped(text));
}

std::string bar_row(const Bar& bar, double top, double limit) {
  std::string svg = fmt::format("<g><title>{}</title>\n", escaped(bar.hint));
  svg += text_at(LabelWidth - 10, top + 16, "end", "label", bar.label);
  svg += fmt::format("<rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"16\" rx=\"2\" class=\"back\"/>\n",
                     LabelWidth, top + 4, length(bar.back, limit));
  if (bar.front)
    svg += fmt::format("<rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"8\" rx=\"1\" class=\"front\"/>\n",
                       LabelWidth, top + 8, length(*bar.front, limit));
  if (bar.tick)
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"2\" height=\"20\" class=\"tick\"/>\n",
                       LabelWidth + length(*bar.tick, limit) - 1, top + 2);
  svg += text_at(LabelWidth + PlotWidth + 12, top + 16, "start", "value", bar.value);
  return svg + "</g>\n";
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

std::string bar_chart(const std::vector<Bar>& bars, double limit, const std::vector<std::string>& axis) {
  const int height = RowHeight * static_cast<int>(bars.size()) + 26;
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", Width, height);
  for (std::size_t i = 0; i < axis.size(); ++i) {
    const double x = LabelWidth + PlotWidth * static_cast<double>(i) /
                                      static_cast<double>(std::max<std::size_t>(axis.size() - 1, 1));
    svg += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1}\" class=\"grid\"/>\n", x, height - 24);
    svg += text_at(x, height - 8, "middle", "axis", axis[i]);
  }
  for (std::size_t i = 0; i < bars.size(); ++i) svg += bar_row(bars[i], static_cast<double>(i) * RowHeight, limit);
  return svg + "</svg>\n";
}

std::string stacked_bar(const std::vector<Share>& shares) {
  std::uint64_t total = 0;
  for (const Share& share : shares) total += share.amount;
  if (total == 0) return {};
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} 30\" role=\"img\">\n", Width);
  std::string legend = "<div class=\"legend\">\n";
  double x = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double share = static_cast<double>(shares[i].amount) / static_cast<double>(total);
    const std::string hint =
        fmt::format("{}: {} cycles, {}", shares[i].label, grouped(shares[i].amount), percent(share));
    // One unit of background stays between neighbours.
    if (shares[i].amount != 0)
      svg += fmt::format(
          "<rect x=\"{:.2f}\" y=\"3\" width=\"{:.2f}\" height=\"24\" class=\"c{}\"><title>{}</title></rect>\n", x,
          std::max(share * Width - 1.0, 0.5), i, escaped(hint));
    x += share * Width;
    legend += fmt::format("<span><i class=\"c{}\"></i>{} <b>{}</b> {}</span>\n", i, escaped(shares[i].label),
                          grouped(shares[i].amount), percent(share));
  }
  return svg + "</svg>\n" + legend + "</div>\n";
}

}  // namespace espalier::tools

#include "html_report.hpp"

#include <fmt/format.h>
#include <stb/stb_image_write.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "html_style.hpp"
#include "options.hpp"
#include "roofline.hpp"
#include "svg_chart.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

std::string base64(const std::vector<std::uint8_t>& bytes) {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = (group << 8) | (j < count ? bytes[i + j] : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? letters[(group >> (18 - 6 * j)) & 63U] : '=';
  }
  return text;
}

std::string png_source(const AnsweredImage& image) {
  std::vector<std::uint8_t> png;
  const auto append = [](void* context, void* data, int size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    static_cast<std::vector<std::uint8_t>*>(context)->insert(static_cast<std::vector<std::uint8_t>*>(context)->end(),
                                                             bytes, bytes + size);
  };
  stbi_write_png_to_func(append, &png, image.width, image.height, 1, image.pixels.data(), image.width);
  return "data:image/png;base64," + base64(png);
}

std::string tile(const std::string& value, const std::string& label) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escaped(value), escaped(label));
}

std::uint64_t cycles_of(const run::Totals& totals) { return totals.measured_cycles.value_or(totals.predicted_cycles); }

std::string tiles(const HtmlContents& contents) {
  const run::Totals& totals = contents.report.totals;
  std::string html = "<div class=\"tiles\">\n" + tile(grouped(totals.predicted_cycles), "cycles predicted");
  if (totals.measured_cycles) {
    const bool exact = *totals.measured_cycles == totals.predicted_cycles;
    html += tile(grouped(*totals.measured_cycles), exact ? "cycles measured: exactly as predicted" : "cycles measured");
  }
  html += tile(percent(run::utilisation(totals.nonzero_macs, cycles_of(totals), contents.report.configuration)),
               "of all multipliers on non-zero weights, start to done");
  if (totals.macs > 0)
    html += tile(percent(static_cast<double>(totals.nonzero_macs) / static_cast<double>(totals.macs)),
                 fmt::format("of {} multiply-accumulates left", grouped(static_cast<std::uint64_t>(totals.macs))));
  if (contents.dense)
    html +=
        tile(fmt::format("{:.2f} x", static_cast<double>(cycles_of(contents.dense->totals)) /
                                         static_cast<double>(std::max<std::uint64_t>(cycles_of(totals), 1))),
             "faster than " + contents.dense->model + ", " + grouped(cycles_of(contents.dense->totals)) + " cycles");
  const auto known = std::count_if(contents.images.begin(), contents.images.end(),
                                   [](const AnsweredImage& image) { return !image.truth.empty(); });
  if (known > 0) {
    const auto right = std::count_if(contents.images.begin(), contents.images.end(),
                                     [](const AnsweredImage& image) { return !image.truth.empty() && image.right(); });
    html += tile(fmt::format("{} of {}", right, known), "answers right");
  }
  return html + "</div>\n";
}

std::string images(const HtmlContents& contents) {
  if (contents.images.empty()) return {};
  std::string html = "<h2>Answers</h2>\n<div class=\"images\">\n";
  for (const AnsweredImage& image : contents.images)
    html += fmt::format("<figure{}><img alt=\"input\" src=\"{}\"><figcaption><b>{}</b>{}</figcaption></figure>\n",
                        image.right() ? "" : " class=\"wrong\"", png_source(image), escaped(image.answer),
                        image.truth.empty() ? "" : " label " + escaped(image.truth));
  return html + "</div>\n";
}

// A round upper end of an axis whose quarters are round as well.
double round_limit(double value) {
  double power = 1;
  while (power * 10 <= value) power *= 10;
  for (const double factor : {1.0, 2.0, 3.0, 4.0, 6.0, 8.0})
    if (power * factor >= value) return power * factor;
  return power * 10;
}

std::string cycle_chart(const run::RunReport& report) {
  std::vector<Bar> bars;
  std::uint64_t most = 1;
  for (const run::LayerRow& row : run::joined(report.layers)) {
    const std::uint64_t measured = row.measured_cycles.value_or(row.predicted_cycles);
    most = std::max({most, row.predicted_cycles, measured});
    Bar bar;
    bar.label = shortened(row.name, 28);
    bar.back = static_cast<double>(row.predicted_cycles);
    if (row.measured_cycles) bar.front = static_cast<double>(*row.measured_cycles);
    bar.value = grouped(measured);
    if (row.measured_cycles && measured != row.predicted_cycles)
      bar.value += " (predicted " + grouped(row.predicted_cycles) + ")";
    bar.hint = fmt::format("{} {} {}: predicted {}, measured {}", row.name, row.op, row.shape,
                           grouped(row.predicted_cycles), row.measured_cycles ? grouped(measured) : "none");
    bars.push_back(bar);
  }
  const double limit = round_limit(static_cast<double>(most));
  std::vector<std::string> axis;
  for (int i = 0; i <= 4; ++i) axis.push_back(grouped(static_cast<std::uint64_t>(limit * i / 4)));
  return "<h2>Cycles per layer</h2>\n<p>A layer's cycles run from the previous layer's last output to its own; the "
         "rows sum to the whole run.</p>\n<div class=\"card\">" +
         bar_chart(bars, limit, axis) + "<div class=\"legend\"><span><i class=\"back\"></i>predicted</span>" +
         (report.totals.measured_cycles ? "<span><i class=\"front\"></i>measured</span>" : "") + "</div></div>\n";
}

std::string utilisation_chart(const run::RunReport& report) {
  std::vector<Bar> bars;
  for (const run::LayerRow& row : run::joined(report.layers)) {
    if (row.macs == 0) continue;
    const std::uint64_t cycles = row.measured_cycles.value_or(row.predicted_cycles);
    Bar bar;
    bar.label = shortened(row.name, 28);
    bar.front = run::utilisation(row.nonzero_macs, cycles, report.configuration);
    if (row.lower_bound_cycles > 0)
      bar.tick = std::min(1.0, run::utilisation(row.nonzero_macs, row.lower_bound_cycles, report.configuration));
    bar.value = percent(*bar.front) + (row.bound.empty() ? "" : ", " + row.bound);
    bar.hint = fmt::format("{}: {} of the multipliers busy with non-zero weights, at most {} possible", row.name,
                           percent(*bar.front), bar.tick ? percent(*bar.tick) : "100%");
    bars.push_back(bar);
  }
  if (bars.empty()) return {};
  return "<h2>Utilisation and its bound</h2>\n<p>Share of the array's multipliers that work on non-zero weights. The "
         "tick is what the fullest lane or bank allows; at the right stands what the layer is bound by.</p>\n<div "
         "class=\"card\">" +
         bar_chart(bars, 1.0, {"0%", "25%", "50%", "75%", "100%"}) +
         "<div class=\"legend\"><span><i class=\"front\"></i>reached</span><span><i "
         "class=\"tick\"></i>fullest lane or bank</span></div>"
         "</div>\n";
}

std::string cause_chart(const run::RunReport& report) {
  if (!report.causes) return {};
  const run::Causes& causes = *report.causes;
  return "<h2>Where the cycles went</h2>\n<p>Every cycle from start to done has one cause, counted by the device.</p>\n"
         "<div class=\"card\">" +
         stacked_bar({{"computing", causes.computing},
                      {"waiting for weights", causes.weights},
                      {"waiting for result writers", causes.output},
                      {"waiting for data", causes.data},
                      {"writing", causes.writing},
                      {"control", causes.control}}) +
         "</div>\n";
}

std::string table_row(const std::vector<std::string>& cells, const char* element, const char* style) {
  static constexpr std::array<bool, 12> left{true,  true,  true,  false, false, true,
                                             false, false, false, true,  false, false};
  std::string html = fmt::format("<tr class=\"{}\">", style);
  for (std::size_t i = 0; i < cells.size(); ++i)
    html += fmt::format("<{0}{1}>{2}</{0}>", element, left[i] ? " class=\"left\"" : "", escaped(cells[i]));
  return html + "</tr>\n";
}

// What the column of bounds means.
std::string bound_words() {
  return "<p>A layer is bound by what it needs most cycles of: <b>compute</b>, slots of the lanes and banks; "
         "<b>weights</b>, "
         "their stream from memory; <b>memory</b>, data read and results written; <b>output</b>, the writers of "
         "results. "
         "The last row names the bound of most cycles. Layers that run together, strip by strip, have one count of "
         "cycles, one utilisation and one bound: they stand in the first of their rows.</p>\n";
}

std::string layer_rows(const run::RunReport& report) {
  std::string html = "<h2>Layers</h2>\n" + bound_words() + "<div class=\"card\"><table>\n";
  html += table_row({"layer", "operator", "shape", "MACs", "density", "ran on", "predicted", "measured", "utilisation",
                     "bound", "bytes read", "bytes written"},
                    "th", "");
  const auto add = [&](const run::LayerRow& row, const run::LayerRow& together, bool above, const char* style) {
    const bool macs = row.macs > 0;
    const CycleCells cells = cycle_cells(together, above);
    const std::string used =
        together.macs > 0
            ? percent(run::utilisation(together.nonzero_macs, run::cycles_of(together), report.configuration))
            : "-";
    html += table_row({row.name, row.op, row.shape, macs ? grouped(static_cast<std::uint64_t>(row.macs)) : "-",
                       macs ? percent(run::density(row)) : "-", row.device.empty() ? "-" : row.device, cells.predicted,
                       cells.measured, above ? "with above" : used, row.bound.empty() ? "-" : row.bound,
                       grouped(row.dram_read_bytes), grouped(row.dram_write_bytes)},
                      "td", style);
  };
  for (std::size_t i = 0; i < report.layers.size(); ++i)
    add(report.layers[i], run::together(report.layers, i), run::with_above(report.layers, i), "");
  const run::LayerRow total = total_row(report, "total");
  add(total, total, false, "total");
  return html + "</table></div>\n";
}

}  // namespace

std::string html_report(const HtmlContents& contents) {
  const run::RunReport& report = contents.report;
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>" +
         escaped(contents.title) + "</title><style>" + HtmlStyle + "</style></head>\n<body><main>\n<h1>" +
         escaped(contents.title) + "</h1>\n<p>" +
         escaped(fmt::format("{} {}, array {}, memory of {} bytes per cycle and a latency of {} cycles", report.model,
                             report.device.empty() ? "as predicted" : "on " + report.device,
                             array_text(report.configuration), contents.memory.bytes, contents.memory.latency)) +
         "</p>\n" + tiles(contents) + images(contents) + cycle_chart(report) + utilisation_chart(report) +
         roofline_section(report, contents.memory) + cause_chart(report) + layer_rows(report) + contents.sections +
         "</main></body></html>\n";
}

}  // namespace espalier::tools

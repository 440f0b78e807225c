// Properties:
//   - every layer with MACs has a full and a hollow point, its name and its bound; names are escaped
//   - positions follow the logarithmic axes; the roofs are those of the array and of the memory
//   - layers that move no bytes stand at the right edge; those without MACs or cycles are listed
//   - no MACs at all: no plot; all coordinates are finite and inside the picture for extreme layers
//   - tables and plot say the same bounds, the total that of most cycles
#include "tools/roofline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "tools/svg_chart.hpp"
#include "tools/table.hpp"

namespace espalier::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

run::LayerRow layer(const std::string& name, std::int64_t macs, std::int64_t nonzero, std::uint64_t cycles,
                    std::uint64_t read, std::uint64_t written, const std::string& bound) {
  run::LayerRow row;
  row.name = name;
  row.op = "Conv";
  row.macs = macs;
  row.nonzero_macs = nonzero;
  row.predicted_cycles = cycles;
  row.dram_read_bytes = read;
  row.dram_write_bytes = written;
  row.bound = bound;
  return row;
}

run::RunReport report_of(std::vector<run::LayerRow> layers) {
  run::RunReport report;
  report.configuration = abi::Array16x16;
  report.layers = std::move(layers);
  report.totals = run::sum(report.layers);
  return report;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The numbers of all attributes of this name.
std::vector<double> coordinates(const std::string& html, const std::string& attribute) {
  std::vector<double> numbers;
  const std::regex pattern(" " + attribute + "=\"([^\"]*)\"");
  for (std::sregex_iterator i(html.begin(), html.end(), pattern), end; i != end; ++i)
    numbers.push_back(std::stod((*i)[1]));
  return numbers;
}

TEST(Roofline, EveryLayerHasItsPoints) {
  const std::string html = roofline_section(report_of({layer("stem<1>", 1000000, 500000, 5000, 9000, 4000, "output"),
                                                       layer("block", 9000000, 900000, 4000, 70000, 4000, "compute")}),
                                            {});
  EXPECT_EQ(count(html, "<circle"), 4U);
  EXPECT_THAT(html, HasSubstr("<title>stem&lt;1&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("stem<1>")));
  for (const char* needle :
       {"bound-output\"><title>stem", "bound-compute\"><title>block", "bound: compute", "whole network",
        "array: 256 MACs per cycle", "memory: 64 bytes per cycle", "bound by weights", "bound by memory"})
    EXPECT_THAT(html, HasSubstr(needle)) << needle;
}

TEST(Roofline, BusierDirectionCounts) {
  EXPECT_DOUBLE_EQ(intensity(layer("a", 1000, 1000, 1, 100, 10, "")), 10.0);
  EXPECT_DOUBLE_EQ(intensity(layer("a", 1000, 1000, 1, 10, 200, "")), 5.0);
  EXPECT_TRUE(std::isinf(intensity(layer("a", 1000, 1000, 1, 0, 0, ""))));
}

TEST(Roofline, AxesAreLogarithmic) {
  // Each layer does ten times the MACs per byte and per cycle of the one before: equal steps, to the right and upwards.
  const std::string html = roofline_section(
      report_of({layer("a", 1000, 1000, 1000, 1000, 0, "memory"), layer("b", 10000, 10000, 1000, 1000, 0, "memory"),
                 layer("c", 100000, 100000, 1000, 1000, 0, "compute")}),
      {8, 20});
  EXPECT_THAT(html, HasSubstr("memory: 8 bytes per cycle"));
  std::vector<double> x = coordinates(html, "cx"), y = coordinates(html, "cy");
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  ASSERT_EQ(x.size(), 6U);
  EXPECT_NEAR(x[2] - x[0], x[4] - x[2], 0.2);
  EXPECT_NEAR(y[2] - y[0], y[4] - y[2], 0.2);
  EXPECT_GT(x[2], x[0]);
}

TEST(Roofline, LayersOnChipAndLayersWithoutMacs) {
  const std::string html =
      roofline_section(report_of({layer("prologue", 0, 0, 77, 640, 0, ""), layer("pool", 0, 0, 123, 64, 64, "output"),
                                  layer("held", 5000, 5000, 50, 0, 0, "compute"),
                                  layer("conv", 90000, 90000, 500, 6400, 64, "weights")}),
                       {});
  EXPECT_THAT(html, HasSubstr("no bytes moved"));
  EXPECT_THAT(html, HasSubstr("prologue (77), pool (123, output)"));
  EXPECT_EQ(count(html, "<circle"), 4U);
  const std::vector<double> x = coordinates(html, "cx");
  EXPECT_GT(*std::max_element(x.begin(), x.end()), 800.0);
}

TEST(Roofline, NothingToDraw) {
  EXPECT_EQ(roofline_section(report_of({}), {}), "");
  EXPECT_EQ(roofline_section(report_of({layer("pool", 0, 0, 10, 64, 64, "memory")}), {}), "");
  EXPECT_EQ(roofline_section(report_of({layer("hidden", 100, 100, 0, 64, 64, "memory")}), {}), "");
}

TEST(Roofline, ExtremeLayersStayInside) {
  const std::int64_t large = std::int64_t{1} << 50;
  const std::string html =
      roofline_section(report_of({layer("tiny", 1, 0, 4000000000U, 1000000000000U, 0, "memory"),
                                  layer("huge", large, large, 1, 1, 1, "compute"), layer("zero", 640, 0, 1, 0, 0, ""),
                                  layer(std::string(300, 'n'), 640, 1, 1, 1, 0, "unknown")}),
                       {1, 100000});
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("inf\"")));
  for (const char* attribute : {"cx", "x1", "x2"})
    for (const double x : coordinates(html, attribute)) EXPECT_TRUE(x >= 0 && x <= 920) << attribute << " " << x;
  for (const char* attribute : {"cy", "y1", "y2"})
    for (const double y : coordinates(html, attribute)) EXPECT_TRUE(y >= 0 && y <= 470) << attribute << " " << y;
}

TEST(Bounds, TablesSayThem) {
  const run::RunReport report =
      report_of({layer("prologue", 0, 0, 900, 0, 0, ""), layer("a", 10, 10, 100, 0, 0, "weights"),
                 layer("b", 10, 10, 70, 0, 0, "compute"), layer("c", 10, 10, 60, 0, 0, "compute")});
  EXPECT_EQ(main_bound(report.layers), "compute");
  EXPECT_EQ(main_bound({}), "");
  const std::string text = layer_table(report);
  EXPECT_EQ(count(text, "weights"), 1U);
  EXPECT_EQ(count(text, "compute"), 3U);
}

TEST(SvgChart, ShortensWholeCharacters) {
  EXPECT_EQ(shortened("conv1", 8), "conv1");
  EXPECT_EQ(shortened("convolution", 8), "convolu\u2026");
  EXPECT_EQ(shortened("a\u00e9\u00e9", 4), "a\u00e9\u2026");
}

}  // namespace
}  // namespace espalier::tools

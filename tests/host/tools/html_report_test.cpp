// Properties:
//   - the page needs nothing from outside: no link, script source or image address but data
//   - every layer, image and comparison is in it; names are escaped
//   - pictures for terminals have the right number of characters
#include "tools/html_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/digit_art.hpp"
#include "tools/svg_chart.hpp"

namespace espalier::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

run::LayerRow row(const std::string& name, const std::string& op, std::int64_t macs, double density,
                  std::uint64_t cycles, std::uint64_t bound, const std::string& limit) {
  run::LayerRow result;
  result.name = name;
  result.op = op;
  result.shape = "16x28x28 -> 16x28x28";
  result.device = "rtl";
  result.macs = macs;
  result.nonzero_macs = static_cast<std::int64_t>(static_cast<double>(macs) * density);
  result.predicted_cycles = cycles;
  result.measured_cycles = cycles;
  result.lower_bound_cycles = bound;
  result.dram_read_bytes = cycles * 4;
  result.bound = limit;
  return result;
}

HtmlContents contents() {
  HtmlContents page;
  page.title = "Espalier: <handwritten> digits";
  page.report.model = "digits_pruned";
  page.report.device = "xrt:0";
  page.report.layers = {row("prologue", "", 0, 1, 310, 0, ""),
                        row("stem", "Conv", 112896, 0.9, 1290, 800, "output"),
                        row("block0_first", "Conv", 1806336, 0.12, 2160, 1700, "compute"),
                        row("block0_second", "Conv", 1806336, 0.08, 1850, 1400, "compute"),
                        row("block1_first", "Conv", 903168, 0.1, 1050, 800, "weights"),
                        row("classifier", "Gemm", 640, 0.5, 120, 20, "memory"),
                        row("epilogue", "", 0, 1, 60, 0, "")};
  page.report.totals = run::sum(page.report.layers);
  page.report.causes = run::Causes{4700, 200, 600, 900, 140, 300};
  AnsweredImage image{28, 28, std::vector<std::uint8_t>(784), "7", "7"};
  for (std::size_t x = 8; x < 20; ++x) image.pixels[6 * 28 + x] = 255;
  page.images = {image, image, image};
  page.images[1].truth = "1";
  page.dense = DenseComparison{"digits_dense", {4000000, 4000000, 30000, 30000, 0, 0}};
  return page;
}

TEST(HtmlReport, NeedsNothingFromOutside) {
  const std::string html = html_report(contents());
  for (const char* needle : {"http", "<link", "<script", "url("}) EXPECT_THAT(html, Not(HasSubstr(needle)));
  EXPECT_THAT(html, HasSubstr("data:image/png;base64,iVBOR"));
}

TEST(HtmlReport, HoldsEverything) {
  const std::string html = html_report(contents());
  for (const char* needle : {"&lt;handwritten&gt;", "block0_second", "2 of 3", "digits_dense", "waiting for weights",
                             "prefers-color-scheme: dark"})
    EXPECT_THAT(html, HasSubstr(needle));
}

TEST(HtmlReport, WorksWithoutClockAndImages) {
  HtmlContents page = contents();
  page.images.clear();
  page.dense.reset();
  page.report.causes.reset();
  for (run::LayerRow& layer : page.report.layers) layer.measured_cycles.reset();
  page.report.totals = run::sum(page.report.layers);
  EXPECT_THAT(html_report(page), Not(HasSubstr("cycles measured")));
}

TEST(DigitArt, TwoByFourPixelsPerCharacter) {
  const std::vector<std::string> lines = image_lines(contents().images[0]);
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0].size(), 3U * 14U);
  EXPECT_THAT(image_gallery(contents().images, 5), HasSubstr("answer 7, is 1"));
}

TEST(SvgChart, EmptyTotalsDrawNothing) { EXPECT_EQ(stacked_bar({{"a", 0}, {"b", 0}}), ""); }

}  // namespace
}  // namespace espalier::tools

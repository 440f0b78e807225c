// Properties: columns are aligned; numbers are grouped; rows without measured cycles show a dash.
#include "tools/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/report_json.hpp"

namespace espalier::tools {
namespace {

TEST(Table, AlignsColumns) {
  Table table({{"name", Align::Left}, {"n"}});
  table.add({"a", "1"});
  table.add({"longer", "1000"});
  EXPECT_EQ(table.text(), "name       n\n------  ----\na          1\nlonger  1000\n");
}

TEST(Table, FormatsNumbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(percent(0.4375), "43.8%");
}

run::RunReport small_report() {
  run::RunReport report;
  report.device = "functional";
  run::LayerRow row;
  row.name = "conv1";
  row.op = "Conv";
  row.macs = 100;
  row.nonzero_macs = 25;
  row.predicted_cycles = 12;
  report.layers = {row};
  report.totals = run::sum(report.layers);
  return report;
}

TEST(Table, ShowsLayers) {
  const std::string text = layer_table(small_report());
  EXPECT_THAT(text, testing::HasSubstr("25.0%"));
  EXPECT_THAT(text, testing::HasSubstr("total"));
}

/// Rows b and c run together.
run::RunReport grouped_report() {
  run::RunReport report = small_report();
  report.configuration = abi::Array8x8;
  run::LayerRow row = report.layers[0];
  row.group = 1;
  row.predicted_cycles = 20;
  row.name = "b";
  report.layers.push_back(row);
  row.name = "c";
  row.predicted_cycles = 1;
  report.layers.push_back(row);
  report.totals = run::sum(report.layers);
  return report;
}

TEST(Table, ShowsCyclesOfLayersThatRunTogetherOnce) {
  const run::RunReport report = grouped_report();
  EXPECT_THAT(layer_table(report), testing::HasSubstr("with above"));
  EXPECT_THAT(layer_table(report), testing::HasSubstr(" 21 "));
  const std::vector<run::LayerRow> joined = run::joined(report.layers);
  ASSERT_EQ(joined.size(), 2U);
  EXPECT_EQ(joined[1].predicted_cycles, 21U);
  EXPECT_EQ(joined[1].macs, 200);
  EXPECT_EQ(joined[1].name, "b + c");
}

TEST(ReportJson, RowsThatRunTogetherShareTheirUtilisation) {
  Json json = document("run");
  add_report(json, grouped_report());
  EXPECT_TRUE(json["layers"][0]["group"].is_null());
  for (const std::size_t row : {std::size_t{1}, std::size_t{2}}) {
    EXPECT_EQ(json["layers"][row]["group"], 1);
    EXPECT_DOUBLE_EQ(json["layers"][row]["mac_utilisation"].get<double>(), 200.0 / 64 / 21);
  }
}

TEST(ReportJson, HasSchemaAndNullWithoutClock) {
  Json json = document("run");
  add_report(json, small_report());
  EXPECT_EQ(json["schema"], JsonSchema);
  EXPECT_TRUE(json["layers"][0]["measured_cycles"].is_null());
  EXPECT_EQ(Json::parse(to_text(json)), json);
}

TEST(ReportJson, HoldsErrors) {
  const Json json = error_document(Error(ErrorCode::Input, "what", "where", "value \xff", "action"));
  EXPECT_EQ(json["error"]["code"], "input");
  EXPECT_EQ(json["error"]["action"], "action");
  EXPECT_NO_THROW(static_cast<void>(Json::parse(to_text(json))));
}

}  // namespace
}  // namespace espalier::tools

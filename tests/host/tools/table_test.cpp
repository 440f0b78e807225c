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

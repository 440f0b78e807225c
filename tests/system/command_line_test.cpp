// Properties:
//   - every command has a help with examples and exits with 0; --version says the version
//   - usage errors exit with 2, say what to do on standard error, and with --json print {schema, error{...}} on
//     standard output, wherever in the line the mistake is
//   - bench layer and devices report the documented fields
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.hpp"

namespace espalier::test {
namespace {

using testing::HasSubstr;

TEST(CommandLine, HelpHasExamples) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"inspect", "--help"},
                                             {"compile", "--help"},
                                             {"run", "--help"},
                                             {"bench", "--help"},
                                             {"bench", "layer", "--help"},
                                             {"bench", "network", "--help"},
                                             {"bench", "spmm", "--help"},
                                             {"bench", "simulator", "--help"},
                                             {"plan", "--help"},
                                             {"plan", "check", "--help"},
                                             {"devices", "--help"},
                                             {"demo", "--help"}}) {
    const Outcome outcome = run_program(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments[0] << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("Examples:")) << arguments[0];
  }
  EXPECT_THAT(run_program({"--help"}).out, HasSubstr("Exit codes"));
}

TEST(CommandLine, SaysItsVersion) {
  const Outcome outcome = run_program({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("espalier [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandLine, UsageErrorsAreReportedInBothForms) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"nonsense"},
           {"run"},
           {"run", "x.onnx"},
           {"bench"},
           {"bench", "layer"},
           {"bench", "layer", "conv ic8 ih4 oc8", "--array", "9x9"},
           {"bench", "layer", "conv ic8 ih4 oc8", "--device", "fpga"},
           {"bench", "layer", "conv ic8 ih4 oc8", "--memory", "bytes=63"},
           {"bench", "layer", "conv ic8 ih4 oc8", "--weights", "none"},
           {"bench", "layer", "conv ic8 ih4 oc8", "--device", "functional", "--waves", "x.fst"},
           {"bench", "layer", "conv ih4 oc8"},
           {"bench", "layer", "conv ic8 ih4 oc9 g2"},
           {"bench", "layer", "conv ic8 ih4 zz3"},
           {"bench", "layer", ""},
           {"devices", "--unknown"},
       }) {
    const Outcome text = run_program(arguments);
    EXPECT_EQ(text.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(text.err, HasSubstr("usage error")) << testing::PrintToString(arguments);
    EXPECT_EQ(text.out, "") << testing::PrintToString(arguments);

    std::vector<std::string> with_json = arguments;
    with_json.emplace_back("--json");
    const Outcome json = run_program(with_json);
    EXPECT_EQ(json.code, 2) << testing::PrintToString(arguments);
    const auto document = json.json();
    EXPECT_TRUE(document.contains("schema"));
    EXPECT_EQ(document["error"]["code"], "usage");
    for (const char* key : {"what", "where", "value", "action"}) EXPECT_TRUE(document["error"].contains(key)) << key;
  }
}

TEST(CommandLine, ListsDevices) {
  const Outcome outcome = run_program({"devices", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto document = outcome.json();
  EXPECT_TRUE(document.contains("schema"));
  EXPECT_EQ(document["devices"][0]["device"], "functional");
  EXPECT_EQ(document["devices"][1]["device"], "rtl");
}

class BenchLayer : public testing::TestWithParam<std::string> {};

TEST_P(BenchLayer, ReportsTheDocumentedFields) {
  const Outcome outcome =
      run_program({"bench", "layer", "conv ic16 ih14 iw14 oc16 kh3 kw3 ph1 pw1 density0.5 int8", "--device", GetParam(),
                   "--array", "8x8", "--memory", "bytes=64,latency=30", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto document = outcome.json();
  EXPECT_TRUE(document.contains("schema"));
  EXPECT_EQ(document["bit_exact"], true);
  EXPECT_GT(document["predicted_cycles"], 0);
  if (GetParam() == "functional") {
    EXPECT_TRUE(document["measured_cycles"].is_null());
  } else {
    EXPECT_EQ(document["measured_cycles"], document["predicted_cycles"]);
  }
  const double macs = document["mac_utilisation"];
  const double nonzero = document["nonzero_utilisation"];
  EXPECT_GT(macs, 0);
  EXPECT_NEAR(nonzero, macs / 2, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Devices, BenchLayer, testing::Values("functional", "rtl"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace espalier::test

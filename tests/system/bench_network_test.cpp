// Properties of `espalier bench network`:
//   - the report has schema, layers and totals with the documented fields; layers sum to the totals
//   - on functional and rtl the bits are exact; on rtl every layer takes the predicted cycles
//   - a sparser network takes fewer cycles, and every pattern is accepted
//   - the text has a table whose lines align, and the layers that lose most cycles
//   - a batch is run input by input: the same rows, totals of all of them, bits exact
//   - layers that run together share group, bound and utilisation; no utilisation is above the array
//   - patterns are recognised from the weights
//   - wrong networks, patterns and options are usage errors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "program.hpp"

namespace espalier::test {
namespace {

using testing::HasSubstr;

std::vector<std::string> line(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bench", "network"});
  return arguments;
}

nlohmann::json bench(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Outcome outcome = run_program(line(std::move(arguments)));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return outcome.code == 0 ? outcome.json() : nlohmann::json::object();
}

TEST(BenchNetwork, ReportsTheDocumentedFields) {
  const auto document =
      bench({"ds_cnn", "--density", "0.25", "--array", "8x8", "--memory", "bytes=64,latency=40", "--clock", "200"});
  EXPECT_TRUE(document.contains("schema"));
  std::uint64_t cycles = 0, bytes = 0;
  for (const auto& layer : document["layers"]) {
    for (const char* key : {"name", "op", "macs", "nonzero_macs", "predicted_cycles", "measured_cycles",
                            "mac_utilisation", "nonzero_utilisation", "dram_read_bytes", "dram_write_bytes", "bound"})
      EXPECT_TRUE(layer.contains(key)) << key;
    cycles += layer["predicted_cycles"].get<std::uint64_t>();
    bytes += layer["dram_read_bytes"].get<std::uint64_t>();
  }
  const auto& totals = document["totals"];
  EXPECT_EQ(totals["predicted_cycles"], cycles);
  EXPECT_EQ(totals["dram_read_bytes"], bytes);
  EXPECT_TRUE(totals["measured_cycles"].is_null());
  EXPECT_EQ(totals["macs"], 2656768);
  EXPECT_NEAR(totals["frames_per_second"].get<double>(), 200e6 / static_cast<double>(cycles), 1e-6);
  EXPECT_NEAR(totals["mac_utilisation"].get<double>(), 2656768.0 / 64 / static_cast<double>(cycles), 1e-9);
}

class BenchNetworkDevice : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(BenchNetworkDevice, IsExact) {
  const auto [network, density] = GetParam();
  const auto functional = bench({network, "--density", density, "--device", "functional"});
  EXPECT_EQ(functional["totals"]["bit_exact"], true);
  const auto rtl = bench({network, "--density", density, "--device", "rtl"});
  EXPECT_EQ(rtl["totals"]["bit_exact"], true);
  EXPECT_EQ(rtl["totals"]["measured_cycles"], rtl["totals"]["predicted_cycles"]);
  for (const auto& layer : rtl["layers"]) EXPECT_EQ(layer["measured_cycles"], layer["predicted_cycles"]) << layer;
}

INSTANTIATE_TEST_SUITE_P(Networks, BenchNetworkDevice,
                         testing::Combine(testing::Values("resnet8", "ds_cnn"), testing::Values("1", "0.25", "0.1")));

TEST(BenchNetwork, MobileNetIsExact) {
  for (const char* density : {"1", "0.25", "0.1"}) {
    const auto rtl =
        bench({"mobilenet_v1", "--width", "0.25", "--resolution", "96", "--density", density, "--device", "rtl"});
    EXPECT_EQ(rtl["totals"]["bit_exact"], true);
    EXPECT_EQ(rtl["totals"]["measured_cycles"], rtl["totals"]["predicted_cycles"]);
  }
}

TEST(BenchNetwork, ABatchRunsInputByInput) {
  const auto one = bench({"ds_cnn", "--array", "8x8", "--device", "rtl"})["totals"];
  const auto three = bench({"ds_cnn", "--array", "8x8", "--device", "rtl", "--batch", "3"})["totals"];
  EXPECT_EQ(three["bit_exact"], true);
  EXPECT_EQ(three["predicted_cycles"], one["predicted_cycles"]);
  EXPECT_EQ(three["batch_predicted_cycles"], 3 * one["predicted_cycles"].get<std::uint64_t>());
  EXPECT_EQ(three["batch_measured_cycles"], three["batch_predicted_cycles"]);
  EXPECT_EQ(three["frames_per_second"], one["frames_per_second"]);
}

TEST(BenchNetwork, LayersThatRunTogetherShareAUtilisation) {
  const auto document = bench({"mobilenet_v2"});
  int groups = 0;
  nlohmann::json above;
  for (const auto& layer : document["layers"]) {
    EXPECT_LE(layer["mac_utilisation"].get<double>(), 1.0) << layer;
    if (!layer["group"].is_null() && layer["group"] == above["group"]) {
      ++groups;
      EXPECT_EQ(layer["mac_utilisation"], above["mac_utilisation"]);
      EXPECT_EQ(layer["bound"], above["bound"]);
    }
    above = layer;
  }
  EXPECT_GT(groups, 0);
}

TEST(BenchNetwork, RecognisesPatterns) {
  for (const char* pattern : {"2:4", "block4x4", "pattern4of9"}) {
    int found = 0;
    const auto document = bench({"resnet8", "--pattern", pattern, "--density", "0.25"});
    for (const auto& layer : document["layers"])
      found += layer["pattern"].get<std::string>().starts_with(pattern) ? 1 : 0;
    EXPECT_GE(found, 6) << pattern;
  }
}

TEST(BenchNetwork, SparserIsFaster) {
  const auto cycles = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "resnet8");
    return bench(std::move(arguments))["totals"]["predicted_cycles"].get<std::uint64_t>();
  };
  const std::uint64_t dense = cycles({});
  for (const char* pattern : {"2:4", "block4x4", "pattern4of9", "unstructured"})
    EXPECT_LT(cycles({"--pattern", pattern, "--density", "0.25"}), dense / 2) << pattern;
}

TEST(BenchNetwork, TablesAlign) {
  const Outcome outcome = run_program(line({"resnet8"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Most cycles above the MAC bound"));
  EXPECT_THAT(outcome.err, HasSubstr("compiling layer 1 of"));
  std::istringstream lines(outcome.out);
  std::string header, rule, row;
  std::getline(lines, header);
  std::getline(lines, rule);
  const std::size_t column = header.find("predicted") + std::string("predicted").size();
  while (std::getline(lines, row) && !row.empty()) {
    ASSERT_GT(row.size(), column) << row;
    EXPECT_NE(row[column - 1], ' ') << row;
    EXPECT_EQ(row[column], ' ') << row;
  }
}

TEST(BenchNetwork, UsageErrors) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"alexnet"},
                                             {"resnet8", "--pattern", "1:3"},
                                             {"resnet8", "--density", "1.5"},
                                             {"resnet8", "--density", "-1"},
                                             {"resnet8", "--width", "0.5"},
                                             {"ds_cnn", "--resolution", "64"},
                                             {"resnet8", "--fully-connected"},
                                             {"resnet8", "--clock", "0"},
                                             {"resnet8", "--batch", "0"},
                                             {"resnet8", "--seed", "-1"},
                                             {"resnet8", "--threads", "0"},
                                             {"resnet8", "--worst", "-1"},
                                             {"mobilenet_v1", "--width", "nan"},
                                             {"resnet8", "--density", "nan"},
                                             {"resnet8", "--classes", "-3"},
                                             {"resnet8", "--device", "fpga"},
                                             {"resnet8", "--array", "9x9"}})
    EXPECT_EQ(run_program(line(arguments)).code, 2) << testing::PrintToString(arguments);
}

}  // namespace
}  // namespace espalier::test

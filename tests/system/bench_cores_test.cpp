// Properties of `espalier bench cores`:
//   - on rtl the bits are exact and every core takes the predicted cycles; the slowest sets the time of all
//   - cores that share a memory are slower than one that has it to itself, and one core is that one
//   - a narrower memory costs more; wrong options are usage errors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "program.hpp"

namespace espalier::test {
namespace {

std::vector<std::string> line(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bench", "cores"});
  return arguments;
}

nlohmann::json bench(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Outcome outcome = run_program(line(std::move(arguments)));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return outcome.code == 0 ? outcome.json() : nlohmann::json::object();
}

std::uint64_t cycles(const nlohmann::json& document) { return document["totals"]["predicted_cycles"]; }

TEST(BenchCores, EveryCoreIsExact) {
  const auto document = bench({"ds_cnn", "--density", "0.25", "--cores", "3", "--array", "8x8", "--device", "rtl"});
  EXPECT_TRUE(document.contains("schema"));
  ASSERT_EQ(document["cores"].size(), 3U);
  std::uint64_t most = 0;
  for (const auto& core : document["cores"]) {
    EXPECT_EQ(core["bit_exact"], true);
    EXPECT_EQ(core["predicted_cycles"], core["measured_cycles"]);
    std::uint64_t sum = 0;
    for (const auto& [cause, count] : core["causes"].items()) sum += count.get<std::uint64_t>();
    EXPECT_EQ(core["predicted_cycles"], sum);
    most = std::max(most, core["predicted_cycles"].get<std::uint64_t>());
  }
  EXPECT_EQ(cycles(document), most);
  EXPECT_GT(most, document["totals"]["alone_cycles"].get<std::uint64_t>());
}

TEST(BenchCores, TwoCompactCoresAreExact) {
  const auto document =
      bench({"resnet8", "--density", "0.25", "--cores", "2", "--array", "16x16_compact", "--device", "rtl"});
  EXPECT_EQ(document["array"], "16x16_compact");
  ASSERT_EQ(document["cores"].size(), 2U);
  for (const auto& core : document["cores"]) {
    EXPECT_EQ(core["bit_exact"], true);
    EXPECT_EQ(core["predicted_cycles"], core["measured_cycles"]);
  }
}

TEST(BenchCores, OneCoreHasTheMemoryToItself) {
  const auto document = bench({"ds_cnn", "--cores", "1", "--array", "8x8"});
  EXPECT_EQ(document["totals"]["predicted_cycles"], document["totals"]["alone_cycles"]);
  EXPECT_EQ(document["totals"]["speed_up"], 1.0);
}

TEST(BenchCores, ANarrowMemoryCostsMore) {
  const auto wide = bench({"ds_cnn", "--density", "0.1", "--cores", "4"});
  const auto narrow = bench({"ds_cnn", "--density", "0.1", "--cores", "4", "--memory", "bytes=8,latency=40"});
  EXPECT_GT(cycles(narrow), cycles(wide));
  EXPECT_LT(narrow["totals"]["speed_up"], wide["totals"]["speed_up"]);
}

TEST(BenchCores, WrongOptionsAreUsageErrors) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {}, {"resnet51"}, {"ds_cnn", "--cores", "0"}, {"ds_cnn", "--cores", "17"}, {"ds_cnn", "--device", "xrt"}}) {
    const Outcome outcome = run_program(line(arguments));
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, testing::HasSubstr("espalier: usage error: "));
  }
}

}  // namespace
}  // namespace espalier::test

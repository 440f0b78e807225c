// Properties of the devices soc and soc-rtl, and of DRAM as memory:
//   - with a memory of fixed latency both take the predicted cycles, layer by layer, alone and as several cores
//   - with DRAM the timed model takes the cycles of the RTL, and the prediction is within 5 % of them
//   - the traffic of every master is reported, aligned and as JSON; a trace is one JSON document of all bursts
//   - shares of lost cycles sum with the computing ones to the cycles
//   - options that do not fit are usage errors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "program.hpp"

namespace espalier::test {
namespace {

using Json = nlohmann::json;
using Line = std::vector<std::string>;

constexpr const char* Layer = "conv ic32 ih20 oc48 kh3 ph1 density0.3";

Json bench(Line line) {
  line.insert(line.begin(), "bench");
  line.emplace_back("--json");
  const Outcome outcome = run_program(line);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return outcome.code == 0 ? outcome.json() : Json::object();
}

void expect_near(const Json& predicted, const Json& measured) {
  EXPECT_NEAR(measured.get<double>() / predicted.get<double>(), 1.0, 0.05);
}

TEST(Soc, TakesThePredictedCyclesWithAFixedLatency) {
  for (const char* device : {"soc", "soc-rtl"}) {
    for (const char* memory : {"bytes=64,latency=40", "bytes=16,latency=90"}) {
      const Json document = bench({"layer", Layer, "--device", device, "--array", "8x8", "--memory", memory});
      EXPECT_EQ(document["bit_exact"], true);
      EXPECT_EQ(document["measured_cycles"], document["predicted_cycles"]);
    }
    const Json network = bench({"network", "ds_cnn", "--density", "0.25", "--array", "8x8", "--device", device});
    for (const Json& layer : network["layers"]) EXPECT_EQ(layer["measured_cycles"], layer["predicted_cycles"]);
    const Json cores = bench({"cores", "ds_cnn", "--density", "0.25", "--array", "8x8", "--device", device});
    for (const Json& core : cores["cores"]) EXPECT_EQ(core["measured_cycles"], core["predicted_cycles"]);
  }
}

TEST(Soc, TimedModelTakesTheCyclesOfTheRtlWithDram) {
  for (const char* memory : {"ddr4-2400@300", "hbm2@250"}) {
    const Line line{"network", "ds_cnn", "--density", "0.5", "--array", "8x8", "--memory", memory, "--device"};
    Line timed_line = line, rtl_line = line;
    timed_line.emplace_back("soc");
    rtl_line.emplace_back("soc-rtl");
    const Json timed = bench(timed_line), rtl = bench(rtl_line);
    ASSERT_EQ(timed["layers"].size(), rtl["layers"].size());
    for (std::size_t i = 0; i < timed["layers"].size(); ++i) {
      EXPECT_EQ(timed["layers"][i]["measured_cycles"], rtl["layers"][i]["measured_cycles"]);
    }
    EXPECT_EQ(timed["totals"]["bit_exact"], true);
    EXPECT_EQ(timed["traffic"]["dram"], rtl["traffic"]["dram"]);
    expect_near(timed["totals"]["predicted_cycles"], timed["totals"]["measured_cycles"]);
    EXPECT_EQ(timed["clock_mhz"], timed["memory"]["clock_mhz"]);
  }
}

TEST(Soc, CoresShareADram) {
  const Json document =
      bench({"cores", "ds_cnn", "--cores", "2", "--array", "8x8", "--memory", "ddr4-2400@300", "--device", "soc"});
  expect_near(document["totals"]["predicted_cycles"], document["totals"]["measured_cycles"]);
  for (const Json& core : document["cores"]) {
    double lost = 0;
    for (const auto& [cause, share] : core["lost_share"].items()) lost += share.get<double>();
    const double computing = core["measured_causes"]["computing"].get<double>() / core["measured_cycles"].get<double>();
    EXPECT_NEAR(lost + computing, 1.0, 1e-9);
    EXPECT_EQ(core["bit_exact"], true);
  }
  EXPECT_EQ(document["traffic"]["masters"].size(), 6U);
}

TEST(Soc, ReportsTrafficAndTracesIt) {
  const std::string path = ::testing::TempDir() + "soc_command_trace.json";
  const Json document =
      bench({"layer", Layer, "--device", "soc", "--array", "8x8", "--memory", "ddr4-2400", "--trace", path});
  std::uint64_t bursts = 0, bytes = 0;
  for (const Json& master : document["traffic"]["masters"]) {
    for (const char* direction : {"read", "write"}) {
      bursts += master[direction]["bursts"].get<std::uint64_t>();
      bytes += master[direction]["bytes"].get<std::uint64_t>();
    }
  }
  EXPECT_GE(bytes,
            document["dram_read_bytes"].get<std::uint64_t>() + document["dram_write_bytes"].get<std::uint64_t>());
  std::ifstream file(path);
  const Json trace = Json::parse(file);
  std::uint64_t begun = 0;
  for (const Json& event : trace["traceEvents"]) begun += event["ph"] == "b" && event["name"] != "waits" ? 1 : 0;
  EXPECT_EQ(begun, bursts);
  const Outcome text = run_program({"bench", "layer", Layer, "--device", "soc", "--array", "8x8"});
  EXPECT_THAT(text.out, testing::HasSubstr("Memory traffic (fixed latency, 300 MHz)"));
}

TEST(Soc, WrongOptionsAreUsageErrors) {
  for (const Line& more : std::vector<Line>{{"--device", "rtl", "--trace", "x.json"},
                                            {"--device", "soc", "--waves", "x.fst"},
                                            {"--device", "soc", "--stall", "0.5"},
                                            {"--device", "soc", "--memory", "ddr5"},
                                            {"--device", "soc", "--memory", "ddr4-2400@"},
                                            {"--device", "soc", "--memory", "ddr4-2400@0"},
                                            {"--device", "soc", "--memory", "ddr4-2400@fast"},
                                            {"--device", "soc", "--trace", "/nowhere/x.json"}}) {
    Line line{"bench", "layer", Layer, "--array", "8x8"};
    line.insert(line.end(), more.begin(), more.end());
    EXPECT_EQ(run_program(line).code, 2) << more.back();
  }
  EXPECT_EQ(run_program({"bench", "network", "ds_cnn", "--memory", "ddr4-2400@300", "--clock", "200"}).code, 2);
}

}  // namespace
}  // namespace espalier::test

// Properties of `espalier bench peers`:
//   - the report has schema, peers with their sources, and rows with the documented fields
//   - every row of a peer of the same size takes fewer cycles than it; rows that are not won say so and name their
//   bound
//   - on the RTL every row takes the predicted cycles and gives the bits of the CPU reference
//   - the text has a table whose lines align and the sources
//   - wrong options are usage errors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "program.hpp"

namespace espalier::test {
namespace {

using testing::HasSubstr;

std::vector<std::string> line(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bench", "peers"});
  return arguments;
}

TEST(BenchPeers, EveryRowIsWonAsPredicted) {
  const Outcome outcome = run_program(line({"--json"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto document = outcome.json();
  EXPECT_EQ(document["command"], "bench peers");
  EXPECT_EQ(document["device"], "rtl");
  EXPECT_EQ(document["array"], "8x8");
  EXPECT_EQ(document["memory"]["bytes"], 8);
  EXPECT_EQ(document["memory"]["latency"], 20);
  ASSERT_EQ(document["peers"].size(), 2U);
  for (const auto& peer : document["peers"]) EXPECT_FALSE(peer["source"].get<std::string>().empty());
  EXPECT_EQ(document["rows"].size(), 14U);
  EXPECT_EQ(document["rows_won"], 14);
  for (const auto& row : document["rows"]) {
    SCOPED_TRACE(row.dump());
    for (const char* key : {"layer", "text", "macs", "peer", "peer_cycles", "peer_utilisation", "utilisation",
                            "dram_read_bytes", "dram_write_bytes", "bound", "bound_cycles", "ratio", "won"})
      EXPECT_TRUE(row.contains(key)) << key;
    EXPECT_EQ(row["measured_cycles"], row["predicted_cycles"]);
    EXPECT_EQ(row["bit_exact"], true);
    EXPECT_EQ(row["won"], true);
    EXPECT_GT(row["ratio"].get<double>(), 1.0);
    EXPECT_LE(row["bound_cycles"].get<std::uint64_t>(), row["measured_cycles"].get<std::uint64_t>());
    if (row["layer"] == "fully connected 640 -> 128") {
      EXPECT_EQ(row["bound"], "memory");
      EXPECT_LE(row["measured_cycles"].get<double>(), 1.05 * row["bound_cycles"].get<double>());
    }
    if (row["layer"] == "24x24x32, depthwise 3x3") {
      EXPECT_GE(row["ratio"].get<double>(), 10.0);
    }
  }
}

TEST(BenchPeers, NamesTheBoundOfRowsThatAreNotWon) {
  const auto document =
      run_program(line({"--device", "functional", "--memory", "bytes=1,latency=20", "--json"})).json();
  EXPECT_LT(document["rows_won"], 14);
  const Outcome outcome = run_program(line({"--device", "functional", "--memory", "bytes=1,latency=20"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("not won: memory bound"));
  EXPECT_THAT(outcome.out, HasSubstr("NVDLA nv_small: "));
  EXPECT_THAT(outcome.err, HasSubstr("layer 1 of 14"));
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

TEST(BenchPeers, UsageErrors) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--device", "fpga"}, {"--array", "9x9"}, {"--memory", "bytes=7"}, {"--seed", "-1"}, {"nvdla"}})
    EXPECT_EQ(run_program(line(arguments)).code, 2) << testing::PrintToString(arguments);
}

}  // namespace
}  // namespace espalier::test

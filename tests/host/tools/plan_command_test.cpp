// Properties:
//   - plan --list names all planners; plan with --algorithm all plans or refuses with each of them
//   - the document of plan is what plan check verifies; a changed value or bound is refused
//   - a network is planned with exact times, its problem is saved and planned again alike, its page has all parts
//   - a compiled file is one piece
//   - wrong options, links, objectives, deadlines and problem files are errors with what, where and action
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "command_runner.hpp"
#include "compile/compile.hpp"
#include "model/layer_text.hpp"
#include "run/executable_file.hpp"

namespace espalier::tools {
namespace {

constexpr const char* Problem = R"({
  "schema": 1, "name": "three layers", "home": 0, "accuracy_floor": 8000,
  "input": {"height": 16, "width": 16},
  "devices": [{"name": "accelerator", "kind": "accelerator"}, {"name": "edge", "kind": "remote", "load": 10000}],
  "links": [{"from": 0, "to": 1, "bytes_per_second": 1000000, "latency_ns": 100000},
            {"from": 1, "to": 0, "bytes_per_second": 1000000, "latency_ns": 100000}],
  "layers": [{"name": "a", "inputs": [-1], "window": {"height": 16, "width": 16, "kernel": 3, "padding": 1}},
             {"name": "b", "inputs": [0]}, {"name": "c", "inputs": [1, 0]}],
  "variants": [{"name": "int8", "input_bytes": 768, "layers": [
    {"output_bytes": 1024, "costs": [{"mean_ns": 900000}, {"mean_ns": 90000}]},
    {"output_bytes": 64, "costs": [null, {"mean_ns": 10000, "bound_ns": 20000, "source": "reported"}]},
    {"output_bytes": 10, "costs": [{"mean_ns": 500000, "energy_nj": 7}, {"mean_ns": 50000}]}]}],
  "exits": [{"name": "first", "layer": 0}, {"name": "last", "layer": 2}],
  "policies": [{"name": "all", "leaves": [{"exit": 1, "share": 10000}], "accuracy": [9000]},
               {"name": "early", "leaves": [{"exit": 0, "share": 10000}], "accuracy": [7000]}]})";

class PlanCommand : public CommandRunner {
 protected:
  static std::string read(const std::string& name) {
    std::ifstream stream(name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

TEST_F(PlanCommand, PlansWithEveryPlanner) {
  const std::string problem = write("problem.json", Problem);
  ASSERT_EQ(run({"plan", "--list"}), 0);
  const std::size_t count = answer()["planners"].size();
  EXPECT_GE(count, 17U);
  ASSERT_EQ(run({"plan", problem, "--algorithm", "all", "--deadline", "50ms", "--link", "up=4Mbps,down=8Mbps,rtt=2ms"}),
            0);
  ASSERT_EQ(answer()["plans"].size(), count);
  const auto& best = answer()["plans"].back();
  EXPECT_EQ(best["planner"], "ours");
  EXPECT_TRUE(best["certificate"]["proven"]);
  for (const auto& row : answer()["plans"]) {
    if (row.contains("error") || !row["cost"]["feasible"]) continue;
    if (row["meets_deadline"]) {
      EXPECT_LE(best["cost"]["latency_ms"], row["cost"]["latency_ms"]) << row["planner"];
    }
  }
}

TEST_F(PlanCommand, ChecksWhatItWrote) {
  const std::string problem = write("problem.json", Problem);
  for (const char* objective : {"latency", "energy", "throughput"}) {
    const std::string plan = path("plan.json");
    ASSERT_EQ(run({"plan", "--problem", problem, "--planner", "ours", "--objective", objective, "--deadline-ms", "30",
                   "-o", plan}),
              0);
    ASSERT_EQ(run({"plan", "check", plan}), 0);
    EXPECT_TRUE(answer()["plans"][0]["optimal"]);
    nlohmann::json forged = nlohmann::json::parse(read(plan));
    forged["plans"][0]["certificate"]["value"] = forged["plans"][0]["certificate"]["value"].get<std::int64_t>() - 1;
    EXPECT_EQ(run({"plan", "check", write("forged.json", forged.dump())}), 9);
  }
}

TEST_F(PlanCommand, PlansANetworkAndWritesItsPage) {
  const std::string saved = path("problem.json"), page = path("plan.html");
  ASSERT_EQ(run({"plan", "ds_cnn", "--array", "8x8", "--server", "10x", "--cpu", "0.5x", "--link",
                 "up=20Mbps,down=20Mbps,rtt=2ms", "--positions", "0", "--save", saved, "--algorithm", "all", "--report",
                 page}),
            0);
  const nlohmann::json first = answer();
  EXPECT_EQ(first["problem"]["devices"].size(), 3U);
  EXPECT_EQ(first["problem"]["variants"][0]["layers"][0]["costs"][0]["source"], "exact");
  for (const char* part : {"Algorithms", "Latency against bandwidth", "Chosen exit and cut", "Accuracy and latency"})
    EXPECT_NE(read(page).find(part), std::string::npos) << part;
  ASSERT_EQ(run({"plan", saved}), 0);
  EXPECT_EQ(answer()["plans"][0]["cost"], first["plans"].back()["cost"]);

  const std::string last = first["problem"]["layers"].back()["name"], early = first["problem"]["layers"][1]["name"];
  const nlohmann::json exits{{"exits", {{{"name", "early"}, {"layer", early}}, {{"name", "last"}, {"layer", last}}}},
                             {"policies",
                              {{{"name", "both"},
                                {"leaves", {{{"exit", 0}, {"share", 4000}}, {{"exit", 1}, {"share", 6000}}}},
                                {"accuracy", {9000}}}}}};
  ASSERT_EQ(run({"plan", saved, "--exits", write("exits.json", exits.dump())}), 0);
  EXPECT_EQ(answer()["plans"][0]["cost"]["accuracy"], 0.9);
  EXPECT_EQ(run({"plan", saved, "--exits", write("exits.json", "{}")}), 3);
}

TEST_F(PlanCommand, PlansACompiledFileAsOnePiece) {
  run::Executable executable{
      "layer", compile::compile(model::parse_layer("conv ic8 ih8 oc8 kh3 ph1"), abi::Array8x8), {}};
  executable.ports.inputs.resize(1);
  executable.ports.inputs[0].shape = {1, 8, 8, 8};
  executable.ports.outputs.resize(1);
  executable.ports.outputs[0].shape = {1, 8, 8, 8};
  const std::string file = path("layer.esp");
  run::save(executable, file);
  ASSERT_EQ(run({"plan", file, "--server", "none", "--clock", "1000"}), 0);
  EXPECT_EQ(answer()["problem"]["layers"].size(), 1U);
  EXPECT_EQ(answer()["problem"]["variants"][0]["input_bytes"], 8 * 8 * 8);
  EXPECT_EQ(answer()["problem"]["variants"][0]["layers"][0]["costs"][0]["mean_ns"], executable.compiled.total_cycles);
}

TEST_F(PlanCommand, RefusesWhatIsWrong) {
  const std::string problem = write("problem.json", Problem);
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{{"--planner", "nobody"},
                                                                                    {"--objective", "fame"},
                                                                                    {"--deadline", "5"},
                                                                                    {"--deadline", "5 parsecs"},
                                                                                    {"--link", "up=1"},
                                                                                    {"--link", "sideways=1Mbps"},
                                                                                    {"--deadline-ms", "-1"}}) {
    std::vector<std::string> arguments{"plan", problem};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(run(arguments), 2) << testing::PrintToString(more);
  }
  EXPECT_EQ(run({"plan", write("empty.json", "{}")}), 3);
  EXPECT_EQ(run({"plan", write("text.json", "text")}), 3);
  EXPECT_EQ(run({"plan", path("absent.json")}), 3);
  EXPECT_EQ(run({"plan", "check", problem}), 3);
  EXPECT_EQ(run({"plan", problem, "--deadline", "1us"}), 5);
  EXPECT_EQ(run({"plan", "ds_cnn", "--server", "fast"}), 2);
  EXPECT_EQ(run({"plan", "ds_cnn", "--cpu", "0.00001x"}), 2);
  EXPECT_EQ(run({"plan", "ds_cnn", "--power", "5"}), 2);
  EXPECT_EQ(run({"plan", "no_such_network"}), 3);
}

}  // namespace
}  // namespace espalier::tools

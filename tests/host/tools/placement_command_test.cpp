// Properties:
//   - run gives the same outputs with --place accelerator, auto and cpu and with pins; what falls back to the CPU is
//     named with its reason; --forbid-cpu refuses with the same names
//   - inspect states place, reason, costs in both places, gain and totals, with CPU times from a file alone, and draws
//   - --timeline writes a trace with an event per frame and segment; --labels names classes
//   - wrong pins, links and files of CPU times are errors
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "command_runner.hpp"
#include "onnx_builder.hpp"
#include "tools/npy.hpp"

namespace espalier::tools {
namespace {

constexpr const char* Costs = R"({"format": 3, "machine": "none",
  "model": {"layer_ns": 400, "mac_ns": 0.5, "element_ns": 0.3},
  "conversion": {"pack": {"tensor_ns": 0, "element_ns": 0.2}, "unpack": {"tensor_ns": 0, "element_ns": 0.2}},
  "layers": {}})";

class PlacementCommand : public CommandRunner {
 protected:
  void SetUp() override {
    CommandRunner::SetUp();
    model_ = write("m.onnx", network());
    costs_ = write("costs.json", Costs);
    std::vector<double> values;
    for (int i = 0; i < 3 * 4 * 10 * 10; ++i) values.push_back((i * 29 % 97) / 97.0);
    const auto bytes = format_npy(model::make_array(model::ElementType::Float, {3, 4, 10, 10}, values));
    input_ = write("x.npy", {bytes.begin(), bytes.end()});
  }

  /// A branch with Softmax and Mul, which the accelerator does not have, between convolutions; two outputs.
  static std::string network() {
    test::Random random;
    test::OnnxBuilder b;
    b.input("x", {1, 4, 10, 10});
    const auto pads = [](onnx::NodeProto& node) { test::OnnxBuilder::set(node, "pads", {1, 1, 1, 1}); };
    pads(b.node("Conv", {"x", b.weights("w1", {8, 4, 3, 3}, random)}, "a"));
    b.node("Relu", {"a"}, "r");
    b.node("Softmax", {"r"}, "s");
    b.node("Mul", {"r", "s"}, "m");
    pads(b.node("Conv", {"m", b.weights("w2", {8, 8, 3, 3}, random)}, "c"));
    b.node("Add", {"c", "r"}, "d");
    b.node("GlobalAveragePool", {"d"}, "y");
    b.output("y");
    b.output("r");
    return b.bytes();
  }

  nlohmann::json outputs(std::vector<std::string> options) {
    std::vector<std::string> all{"run", model_, "--input", input_, "--array", "8x8", "--cpu-costs", costs_};
    all.insert(all.end(), options.begin(), options.end());
    EXPECT_EQ(run(all), 0) << answer();
    return answer().contains("outputs") ? answer()["outputs"] : nlohmann::json();
  }

  std::string model_, costs_, input_;
};

TEST_F(PlacementCommand, GivesTheSameBitsOnEveryPlacement) {
  const nlohmann::json first = outputs({});
  ASSERT_EQ(first.size(), 6U);  // two outputs of three frames
  std::vector<std::string> fallen;
  for (const auto& layer : answer()["placement"]["layers"])
    if (layer["place"] == "cpu") {
      fallen.push_back(layer["op"]);
      EXPECT_FALSE(layer["refusal"].is_null());
    }
  EXPECT_EQ(fallen, (std::vector<std::string>{"Softmax", "Mul"}));
  EXPECT_EQ(answer()["placement"]["segments"].size(), 3U);
  EXPECT_EQ(outputs({"--place", "cpu"}), first);
  EXPECT_EQ(answer()["placement"]["totals"]["layers_on_accelerator"], 0);
  EXPECT_EQ(outputs({"--place", "auto"}), first);
  const auto& costs = answer()["placement"]["costs"];
  EXPECT_LE(costs["total_ns"], costs["all_cpu_ns"]);
  EXPECT_LE(costs["total_ns"], costs["accelerator_first_ns"]);
  EXPECT_LE(costs["total_ns"], costs["greedy_ns"]);
  const std::string name = answer()["placement"]["layers"][0]["name"];
  EXPECT_EQ(outputs({"--pin", name + "=cpu", "--in-flight", "1"}), first);
  EXPECT_EQ(answer()["placement"]["layers"][0]["place"], "cpu");
}

TEST_F(PlacementCommand, RefusesTheCpuIfItIsForbidden) {
  ASSERT_NE(run({"run", model_, "--input", input_, "--array", "8x8", "--forbid-cpu"}), 0);
  const std::string value = answer()["error"]["value"];
  EXPECT_NE(value.find("Softmax"), std::string::npos);
  EXPECT_NE(value.find("Mul"), std::string::npos);
}

TEST_F(PlacementCommand, InspectExplainsAndDraws) {
  const std::string picture = path("graph.svg");
  ASSERT_EQ(run({"inspect", model_, "--array", "8x8", "--cpu-costs", costs_, "--svg", picture}), 0) << answer();
  const auto& placement = answer()["placement"];
  for (const auto& layer : placement["layers"]) {
    EXPECT_FALSE(layer["reason"].get<std::string>().empty());
    EXPECT_GT(layer["cpu_ns"], 0);
    EXPECT_EQ(layer["accelerator_cycles"].is_null(), !layer["refusal"].is_null());
    EXPECT_EQ(layer["gain_if_supported_ns"].is_null(), layer["refusal"].is_null());
  }
  EXPECT_EQ(placement["costs"]["total_ns"], placement["costs"]["cpu_ns"].get<std::int64_t>() +
                                                placement["costs"]["accelerator_ns"].get<std::int64_t>() +
                                                placement["costs"]["transfers_ns"].get<std::int64_t>());
  std::ifstream stream(picture);
  const std::string svg{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_TRUE(svg.starts_with("<svg"));
  EXPECT_NE(svg.find("Softmax"), std::string::npos);
  ASSERT_EQ(run({"inspect", model_, "--brief"}), 0);
  EXPECT_FALSE(answer().contains("placement"));
}

TEST_F(PlacementCommand, WritesTheTimelineAndNamesClasses) {
  const std::string file = path("trace.json");
  outputs({"--timeline", file, "--labels", write("labels.txt", "zero\none\ntwo\n")});
  const std::size_t segments = answer()["placement"]["segments"].size();
  for (const auto& label : answer()["outputs"][0]["labels"])
    if (label["index"] == 1) EXPECT_EQ(label["label"], "one");
  std::ifstream stream(file);
  const nlohmann::json trace = nlohmann::json::parse(stream);
  std::size_t events = 0;
  for (const auto& event : trace["traceEvents"]) events += event["ph"] == "X" ? 1 : 0;
  EXPECT_EQ(events, 3 * segments);
}

TEST_F(PlacementCommand, RefusesWhatItDoesNotUnderstand) {
  const auto code = [&](const std::vector<std::string>& options) {
    std::vector<std::string> all{"inspect", model_, "--array", "8x8", "--cpu-costs", costs_};
    all.insert(all.end(), options.begin(), options.end());
    return run(all);
  };
  EXPECT_NE(code({"--pin", "nobody=cpu"}), 0);
  EXPECT_NE(code({"--pin", "x"}), 0);
  EXPECT_NE(code({"--link", "bandwidth=0"}), 0);
  EXPECT_NE(code({"--link", "speed=3"}), 0);
  EXPECT_NE(code({"--place", "cpu", "--forbid-cpu"}), 0);
  EXPECT_NE(code({"--place", "moon"}), 0);
  for (const char* text : {"", "[]", "{}", R"({"format": 3, "layers": {"x": {"median_ns": -1}}})",
                           R"({"format": 3, "model": 3})", R"({"format": 3, "conversion": {"pack": {"tensor_ns": "a", "element_ns": 0}}})"}) {
    costs_ = write("bad.json", text);
    EXPECT_NE(code({}), 0) << text;
  }
}

TEST_F(PlacementCommand, UnknownDevicesAreAnsweredWithTheCpuAmongOthers) {
  EXPECT_EQ(run({"run", model_, "--input", input_, "--device", "fpga"}), 2);
  const auto action = answer()["error"]["action"].get<std::string>();
  for (const char* name : {"cpu", "functional", "rtl", "soc", "soc-rtl", "xrt"})
    EXPECT_NE(action.find(name), std::string::npos) << name;
  EXPECT_EQ(run({"run", model_, "--input", input_, "--device", "cpu"}), 0);
}

}  // namespace
}  // namespace espalier::tools

// Properties, through the command line: every calibration method compiles and reports the noise of every layer in JSON
// and in the HTML page; samples come from files, folders or are generated; a budget of weights is kept; networks that
// are quantised already report their noise and keep their weights; wrong options are refused.
#include <gtest/gtest.h>

#include <filesystem>

#include "command_runner.hpp"
#include "onnx_builder.hpp"

namespace espalier::tools {
namespace {

class QuantisationCommand : public CommandRunner {
 protected:
  void SetUp() override {
    CommandRunner::SetUp();
    test::Random random(7);
    test::OnnxBuilder b;
    b.input("x", {1, 2, 6, 6});
    for (const char* layer : {"first", "second"}) {
      const std::string name = layer;
      b.weights(name + ".w", {name == "first" ? 8 : 4, name == "first" ? 2 : 8, 3, 3}, random, 1.4F);
    }
    b.node("Conv", {"x", "first.w"}, "first");
    b.node("Relu", {"first"}, "relu");
    b.node("Conv", {"relu", "second.w"}, "y");
    b.output("y");
    model_ = write("model.onnx", b.bytes());
    std::filesystem::create_directory(path("samples"));
    for (const char* name : {"samples/b.pb", "samples/a.pb"}) {
      std::vector<float> values(2 * 36);
      for (float& value : values) value = static_cast<float>(random.unit());
      write(name, model::write_tensor({{1, 2, 6, 6}, std::move(values)}, "x").SerializeAsString());
    }
  }

  int compile(std::vector<std::string> more) {
    more.insert(more.begin(), {"compile", model_, "--array", "8x8", "-o", path("model.esp")});
    return run(more);
  }
  const nlohmann::json& quantisation() const { return answer().at("quantisation"); }

  std::string model_;
};

TEST_F(QuantisationCommand, EveryMethodReportsTheNoiseOfEveryLayer) {
  for (const char* method : {"minmax", "percentile", "mse", "entropy"}) {
    ASSERT_EQ(compile({"--calibration", method, "--calibrate", path("samples")}), 0);
    EXPECT_EQ(quantisation()["calibration"], method);
    EXPECT_EQ(quantisation()["samples"], 2);
    EXPECT_EQ(quantisation()["generated"], false);
    const auto& noise = quantisation()["noise"];
    ASSERT_EQ(noise["layers"].size(), 2U);
    for (const auto& layer : noise["layers"])
      for (const char* key : {"snr_db", "snr_float_db", "own_snr_db"}) EXPECT_GT(layer[key].get<double>(), 15) << key;
    EXPECT_GT(noise["outputs"][0]["snr_db"].get<double>(), 15);
    EXPECT_EQ(noise["worst"].size(), 2U);
  }
}

TEST_F(QuantisationCommand, SamplesAreFilesFoldersOrGenerated) {
  ASSERT_EQ(compile({"--calibrate", path("samples/a.pb")}), 0);
  EXPECT_EQ(quantisation()["samples"], 1);
  ASSERT_EQ(compile({"--calibrate", "generated", "--noise-samples", "3"}), 0);
  EXPECT_EQ(quantisation()["generated"], true);
  EXPECT_EQ(quantisation()["noise"]["samples"], 3);
  ASSERT_EQ(compile({"--noise-samples", "0"}), 0);
  EXPECT_TRUE(quantisation()["noise"].is_null());
  std::filesystem::create_directory(path("empty"));
  EXPECT_EQ(compile({"--calibrate", path("empty")}), 3);
}

TEST_F(QuantisationCommand, OptionsAreReported) {
  ASSERT_EQ(compile({"--equalise", "--compensate-rounding", "--bias-correction", "--range", "y=-2:2", "--report",
                     path("page.html")}),
            0);
  ASSERT_EQ(quantisation()["equalised"].size(), 1U);
  EXPECT_EQ(quantisation()["equalised"][0]["writers"].size(), 1U);
  EXPECT_EQ(quantisation()["compensated_rounding"], true);
  EXPECT_EQ(quantisation()["bias_correction"], true);
  EXPECT_TRUE(std::filesystem::exists(path("page.html")));
  EXPECT_GT(std::filesystem::file_size(path("page.html")), 1000U);
}

TEST_F(QuantisationCommand, ABudgetOfWeightsIsKept) {
  ASSERT_EQ(compile({"--weight-budget", "200"}), 0);
  EXPECT_LE(quantisation()["weight_bytes"].get<int>(), 200);
  ASSERT_EQ(compile({"--weight-bits", "4.2"}), 0);
  EXPECT_LE(quantisation()["weight_bits"].get<double>(), 4.2);
  ASSERT_EQ(compile({"--weight-types", "ternary"}), 0);
  for (const auto& weights : quantisation()["weights"]) EXPECT_EQ(weights["type"], "ternary");
}

TEST_F(QuantisationCommand, WrongOptionsAreRefused) {
  EXPECT_EQ(compile({"--calibration", "guess"}), 2);
  EXPECT_EQ(compile({"--weight-budget", "3"}), 2);
  EXPECT_EQ(compile({"--weight-bits", "-1"}), 2);
  EXPECT_EQ(compile({"--weight-budget", "300", "--weight-bits", "4"}), 2);
  EXPECT_EQ(compile({"--weight-types", "int5"}), 2);
  EXPECT_EQ(compile({"--weight-types", "int8,int4"}), 2);
  EXPECT_EQ(compile({"--calibration", "percentile", "--percentile", "0"}), 2);
  for (const char* range : {"y", "y=1", "y=1:2", "y=-1:x", "=-1:1", "y=0:0", "z=-1:1"})
    EXPECT_EQ(compile({"--range", range}), 2) << range;
}

TEST_F(QuantisationCommand, QuantisedNetworksKeepTheirWeights) {
  ASSERT_EQ(compile({"--quantised", path("int8.onnx")}), 0);
  model_ = path("int8.onnx");
  ASSERT_EQ(compile({}), 0);
  EXPECT_EQ(quantisation()["source"], "file");
  EXPECT_EQ(quantisation()["noise"]["layers"].size(), 2U);
  EXPECT_TRUE(quantisation()["noise"]["outputs"][0]["snr_float_db"].is_null());
  EXPECT_EQ(compile({"--weight-bits", "4"}), 2);
  EXPECT_EQ(compile({"--equalise"}), 2);
}

}  // namespace
}  // namespace espalier::tools

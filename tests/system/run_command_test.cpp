// Properties:
//   - run reports outputs, layers and totals with the documented fields; rows sum to the totals; the same outputs from
//     functional model and RTL; measured equal predicted on the RTL
//   - Softmax sums to 1; quantised models keep their uint8 type
//   - several samples, given calibration samples, HTML report and inspect work
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"
#include "program.hpp"
#include "tools/npy.hpp"

namespace espalier::test {
namespace {

using nlohmann::json;

std::string npy(const std::vector<std::int64_t>& shape, model::ElementType type, int modulus) {
  std::vector<double> values;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  for (std::int64_t i = 0; i < count; ++i) {
    const double level = static_cast<double>((i * 29) % modulus);
    values.push_back(type == model::ElementType::Float ? level / modulus : level);
  }
  const std::vector<std::uint8_t> bytes = tools::format_npy(model::make_array(type, shape, values));
  return {bytes.begin(), bytes.end()};
}

json run(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"run"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  all.emplace_back("--json");
  const Outcome outcome = run_program(all);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return outcome.code == 0 ? outcome.json() : json();
}

void check_rows(const json& document) {
  std::int64_t predicted = 0;
  for (const json& layer : document["layers"]) {
    for (const char* key : {"name", "op", "device", "macs", "nonzero_macs", "predicted_cycles", "measured_cycles",
                            "dram_read_bytes", "dram_write_bytes", "bound"})
      EXPECT_TRUE(layer.contains(key)) << key;
    predicted += layer["predicted_cycles"].get<std::int64_t>();
  }
  EXPECT_EQ(predicted, document["totals"]["predicted_cycles"]);
}

TEST(RunCommand, ReportsAFloatNetwork) {
  const Folder folder;
  const std::string model = folder.write("m.onnx", float_model());
  const std::string input = folder.write("x.npy", npy({1, 3, 8, 8}, model::ElementType::Float, 97));
  const json functional = run({model, "--input", input, "--device", "functional", "--array", "8x8"});
  check_rows(functional);
  ASSERT_EQ(functional["outputs"].size(), 1U);
  const json& output = functional["outputs"][0];
  EXPECT_EQ(output["name"], "classes");
  EXPECT_EQ(output["type"], "float32");
  EXPECT_EQ(output["shape"], json::array({1, 10}));
  double sum = 0;
  for (const double value : output["data"]) sum += value;
  EXPECT_NEAR(sum, 1.0, 1e-5);
  EXPECT_TRUE(functional["totals"]["measured_cycles"].is_null());

  const std::string page = folder.path("r.html");
  const json rtl = run({model, "--input", input, "--device", "rtl", "--array", "8x8", "--report", page});
  check_rows(rtl);
  EXPECT_EQ(rtl["outputs"], functional["outputs"]);
  EXPECT_EQ(rtl["totals"]["measured_cycles"], rtl["totals"]["predicted_cycles"]);
  for (const json& layer : rtl["layers"]) EXPECT_EQ(layer["measured_cycles"], layer["predicted_cycles"]) << layer;
  EXPECT_THAT(read_bytes(page), testing::HasSubstr("</html>"));
}

TEST(RunCommand, GivesTheSameBitsWithAStallingMemory) {
  const Folder folder;
  const std::string model = folder.write("m.onnx", float_model());
  const std::string input = folder.write("x.npy", npy({1, 3, 8, 8}, model::ElementType::Float, 97));
  const json steady = run({model, "--input", input, "--device", "rtl", "--array", "8x8"});
  const json stalling = run({model, "--input", input, "--device", "rtl", "--array", "8x8", "--stall", "0.5"});
  EXPECT_EQ(steady["outputs"], stalling["outputs"]);
  EXPECT_GT(stalling["totals"]["measured_cycles"], steady["totals"]["measured_cycles"]);
}

TEST(RunCommand, KeepsTheTypesOfAQuantisedNetwork) {
  const Folder folder;
  const std::string model = folder.write("q.onnx", quantised_model());
  const std::string input = folder.write("x.npy", npy({1, 2, 6, 6}, model::ElementType::UInt8, 256));
  const json document = run({model, "--input", input, "--array", "8x8"});
  EXPECT_EQ(document["outputs"][0]["type"], "uint8");
  for (const json& value : document["outputs"][0]["data"]) EXPECT_TRUE(value.is_number_integer());
}

TEST(RunCommand, RunsSeveralSamples) {
  const Folder folder;
  const std::string model = folder.write("m.onnx", float_model());
  const std::string input = folder.write("x.npy", npy({3, 3, 8, 8}, model::ElementType::Float, 97));
  EXPECT_EQ(run({model, "--input", input, "--array", "8x8"})["outputs"].size(), 3U);
  const json two = run({model, "--input", input, "--array", "8x8", "--index", "1", "--count", "2"});
  EXPECT_EQ(two["outputs"].size(), 2U);
  EXPECT_EQ(two["samples"].size(), 2U);
  EXPECT_EQ(run({model, "--input", input, input, "--array", "8x8"})["outputs"].size(), 6U);
}

TEST(RunCommand, CalibratesWithGivenSamples) {
  const Folder folder;
  const std::string model = folder.write("m.onnx", float_model());
  const std::string input = folder.write("x.npy", npy({4, 3, 8, 8}, model::ElementType::Float, 97));
  const json document = run({model, "--input", input, "--index", "0", "--calibrate", input, "--array", "8x8"});
  EXPECT_EQ(document["outputs"].size(), 1U);
}

TEST(InspectCommand, DescribesAModel) {
  const Folder folder;
  const Outcome outcome = run_program({"inspect", folder.write("m.onnx", float_model()), "--brief", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json document = outcome.json();
  EXPECT_TRUE(document.contains("schema"));
  EXPECT_EQ(document["inputs"][0]["name"], "image");
  EXPECT_EQ(document["outputs"][0]["shape"], json::array({1, 10}));
  EXPECT_GT(document["totals"]["macs"], 0);
}

}  // namespace
}  // namespace espalier::test

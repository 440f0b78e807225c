// `espalier conformance` on the operator tests of ONNX, which this project did not write. Properties: at least 500
// cases pass and none fails; what is refused is refused by the operator table, before anything runs; every executed row
// of the table has a kernel; damaged models, damaged and missing data files, wrong and huge shapes fail with a reason
// and never end the program.
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "command_runner.hpp"
#include "cpu/operators/execute.hpp"
#include "cpu/operators/registry.hpp"
#include "esp_error.hpp"
#include "onnx_builder.hpp"
#include "tools/conformance.hpp"

namespace espalier::tools {
namespace {

namespace fs = std::filesystem;

const fs::path Root = ESPALIER_ONNX_TESTS;

std::string read_bytes(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

class ConformanceCommand : public CommandRunner {
 protected:
  void need_official_tests() {
    if (Root.empty() || !fs::exists(Root)) GTEST_SKIP() << "the package libonnx-testdata is not installed";
  }

  /// A folder with one test: y = op(x...) with inputs and output as given.
  fs::path make_test(const std::string& name, test::OnnxBuilder& builder, const std::vector<model::Array>& inputs,
                     const model::Array& output) {
    const fs::path test = fs::path(path("tests")) / name, data = test / "test_data_set_0";
    fs::create_directories(data);
    write_file(test / "model.onnx", builder.model.SerializeAsString());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      write_file(data / ("input_" + std::to_string(i) + ".pb"),
                 model::write_tensor(inputs[i], "x").SerializeAsString());
    write_file(data / "output_0.pb", model::write_tensor(output, "y").SerializeAsString());
    return test;
  }

  /// Runs the tests that were made; the reasons of failures by name.
  std::map<std::string, std::string> failures() const {
    std::map<std::string, std::string> reasons;
    for (const TestReason& failure : run_conformance(path("tests")).failures) reasons[failure.test] = failure.reason;
    return reasons;
  }
};

TEST_F(ConformanceCommand, EveryOfficialCaseOfTheTablePasses) {
  need_official_tests();
  if (IsSkipped()) return;
  ASSERT_EQ(run({"conformance", (Root / "node").string()}), 0);
  EXPECT_GE(answer()["passed"], 500);
  EXPECT_EQ(answer()["failed"], 0);
  EXPECT_EQ(answer()["failures"].size(), 0U);
  EXPECT_EQ(answer()["refused"], answer()["refusals"].size());
  for (const auto& refusal : answer()["refusals"]) {
    const std::string reason = refusal["reason"];
    EXPECT_TRUE(reason.find("not supported") != std::string::npos || reason.find("only tensors") != std::string::npos)
        << refusal;
  }
  std::cout << answer()["passed"] << " official operator tests pass, " << answer()["refused"] << " are refused\n";
}

TEST_F(ConformanceCommand, EveryExecutedRowHasAKernel) {
  for (const model::OperatorRow& row : model::operator_rows())
    EXPECT_EQ(cpu::operators::find_kernel(row.name) != nullptr || !row.executed, true) << row.name;
  ASSERT_EQ(run({"conformance", "--operators"}), 0);
  EXPECT_EQ(answer()["operators"].size(), model::operator_rows().size());
}

TEST_F(ConformanceCommand, WrongResultsTypesAndShapesAreFailures) {
  test::OnnxBuilder relu(13);
  relu.output(relu.node("Relu", {relu.input("x", {2})}, "y").output(0));
  const model::Array x{{2}, std::vector<float>{-1, 2}};
  make_test("right", relu, {x}, {{2}, std::vector<float>{0, 2}});
  make_test("value", relu, {x}, {{2}, std::vector<float>{0, 3}});
  make_test("shape", relu, {x}, {{2, 1}, std::vector<float>{0, 2}});
  make_test("type", relu, {x}, {{2}, std::vector<std::int64_t>{0, 2}});
  const auto reasons = failures();
  EXPECT_EQ(reasons.size(), 3U);
  EXPECT_NE(reasons.at("value").find("2 instead of 3 at 1"), std::string::npos);
  EXPECT_NE(reasons.at("shape").find("shape"), std::string::npos);
  EXPECT_NE(reasons.at("type").find("type"), std::string::npos);
}

TEST_F(ConformanceCommand, DamagedTestsFailWithAReason) {
  test::OnnxBuilder relu(13);
  relu.output(relu.node("Relu", {relu.input("x", {2})}, "y").output(0));
  const model::Array x{{2}, std::vector<float>{-1, 2}}, y{{2}, std::vector<float>{0, 2}};
  write_file(make_test("broken_model", relu, {x}, y) / "model.onnx", "not a model");
  write_file(make_test("empty_model", relu, {x}, y) / "model.onnx", "");
  write_file(make_test("broken_data", relu, {x}, y) / "test_data_set_0" / "input_0.pb", "\xff\xff\xff\xff");
  fs::remove(make_test("no_input", relu, {x}, y) / "test_data_set_0" / "input_0.pb");
  fs::remove(make_test("no_output", relu, {x}, y) / "test_data_set_0" / "output_0.pb");
  fs::remove_all(make_test("no_data", relu, {x}, y) / "test_data_set_0");
  make_test("wrong_type", relu, {{{2}, std::vector<std::int64_t>{1, 2}}}, y);
  test::OnnxBuilder product(13);
  product.output(product.node("MatMul", {product.input("a", {2, 3}), product.input("b", {3, 2})}, "y").output(0));
  make_test("wrong_shape", product, {x, {{3}, std::vector<float>{1, 2, 3}}}, y);
  test::OnnxBuilder huge(13);
  huge.output(
      huge.node("Expand", {huge.input("x", {2}), huge.input("s", {2}, onnx::TensorProto::INT64)}, "y").output(0));
  for (const std::int64_t size : {std::int64_t{1} << 40, std::int64_t{-5}, std::int64_t{1} << 62})
    make_test("huge_" + std::to_string(size), huge, {x, {{2}, std::vector<std::int64_t>{size, 2}}}, y);
  const auto reasons = failures();
  EXPECT_EQ(reasons.size(), 11U);
  for (const auto& [test, reason] : reasons) EXPECT_FALSE(reason.empty()) << test;
}

/// Official models and data with a few bytes changed, in process.
TEST_F(ConformanceCommand, ChangedBytesNeverEndTheProgram) {
  need_official_tests();
  if (IsSkipped()) return;
  std::vector<fs::path> tests;
  for (const auto& entry : fs::directory_iterator(Root / "node")) tests.push_back(entry.path());
  std::sort(tests.begin(), tests.end());
  std::size_t executed = 0, refused = 0;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    test::Random random(i);
    std::string bytes = read_bytes(tests[i] / "model.onnx");
    for (int change = random.between(0, 2); change > 0 && !bytes.empty(); --change)
      bytes[static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1))] =
          static_cast<char>(random.byte());
    try {
      model::OperatorGraph graph = model::read_operator_graph(bytes, tests[i]);
      for (std::size_t input = 0; input < graph.inputs.size(); ++input) {
        std::string data = read_bytes(tests[i] / "test_data_set_0" / ("input_" + std::to_string(input) + ".pb"));
        if (random.chance(0.5) && !data.empty())
          data[static_cast<std::size_t>(random.between(
              0, static_cast<int>(std::min<std::size_t>(data.size(), 24)) - 1))] = static_cast<char>(random.byte());
        model::bind_input(graph, input, model::read_typed_tensor(data));
      }
      cpu::execute(graph);
      ++executed;
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::Internal) << tests[i];
      ++refused;
    }
  }
  EXPECT_GT(executed, 50U);
  EXPECT_GT(refused, 50U);
}

}  // namespace
}  // namespace espalier::tools

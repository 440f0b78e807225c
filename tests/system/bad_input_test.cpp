// Properties: each bad file gives one clear error, naming what, where and what to do, with the documented exit code:
//   - models: missing, empty, not ONNX, truncated, altered, unsupported operator
//   - inputs: missing, wrong shape, wrong type, truncated, unknown kind, out of range of the file
//   - output paths that cannot be written
#include <gtest/gtest.h>

#include "models.hpp"
#include "program.hpp"
#include "tools/npy.hpp"

namespace espalier::test {
namespace {

std::string npy(const std::vector<std::int64_t>& shape, double value,
                model::ElementType type = model::ElementType::Float) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  const auto bytes = tools::format_npy(model::make_array(type, shape, std::vector<double>(count, value)));
  return {bytes.begin(), bytes.end()};
}

void expect_error(const std::vector<std::string>& arguments, const std::string& code, int exit_code) {
  std::vector<std::string> with_json = arguments;
  with_json.emplace_back("--json");
  const Outcome outcome = run_program(with_json);
  ASSERT_EQ(outcome.code, exit_code) << testing::PrintToString(arguments) << outcome.out << outcome.err;
  const auto document = outcome.json();
  EXPECT_TRUE(document.contains("schema"));
  EXPECT_EQ(document["error"]["code"], code) << outcome.out;
  for (const char* key : {"what", "where", "action"})
    EXPECT_FALSE(document["error"][key].get<std::string>().empty()) << key << outcome.out;
  EXPECT_NE(outcome.err.find("error"), std::string::npos);
}

class BadInput : public testing::Test {
 protected:
  Folder folder_;
  std::string model_ = folder_.write("m.onnx", float_model());
  std::string good_ = folder_.write("good.npy", npy({1, 3, 8, 8}, 0.5));

  void expect_input_error(const std::string& file) {
    expect_error({"run", model_, "--input", file, "--array", "8x8"}, "input", 3);
  }
};

TEST_F(BadInput, ModelsThatAreNoModels) {
  expect_error({"run", folder_.path("missing.onnx"), "--input", good_}, "input", 3);
  expect_error({"run", folder_.write("empty.onnx", ""), "--input", good_}, "model", 4);
  expect_error({"run", folder_.write("text.onnx", "this is not a model"), "--input", good_}, "model", 4);
  expect_error({"inspect", folder_.write("text.onnx", "this is not a model")}, "model", 4);
  expect_error({"compile", folder_.write("u.onnx", unsupported_model())}, "unsupported", 5);
}

TEST_F(BadInput, TruncatedAndAlteredModelsNeverCrash) {
  const std::string bytes = float_model();
  for (std::size_t size = 1; size < bytes.size(); size += bytes.size() / 12) {
    const Outcome outcome =
        run_program({"inspect", folder_.write("cut.onnx", bytes.substr(0, size)), "--brief", "--json"});
    EXPECT_GT(outcome.code, 0) << size;
    EXPECT_TRUE(outcome.json().contains("error")) << size;
  }
  for (std::size_t position = 5; position < bytes.size(); position += bytes.size() / 12) {
    std::string altered = bytes;
    altered[position] = static_cast<char>(altered[position] ^ 0x41);
    const Outcome outcome = run_program({"inspect", folder_.write("altered.onnx", altered), "--brief", "--json"});
    EXPECT_GE(outcome.code, 0) << position;
    EXPECT_EQ(outcome.json().contains("error"), outcome.code != 0) << position;
  }
}

TEST_F(BadInput, FilesThatDoNotFitTheNetwork) {
  expect_input_error(folder_.path("missing.npy"));
  expect_input_error(folder_.write("shape.npy", npy({1, 3, 8, 9}, 0.5)));
  expect_input_error(folder_.write("rank.npy", npy({3}, 0.5)));
  expect_input_error(folder_.write("text.npy", "hello"));
  expect_input_error(folder_.write("cut.npy", npy({1, 3, 8, 8}, 0.5).substr(0, 300)));
  expect_input_error(folder_.write("cut.png", "\x89PNG\r\n\x1a\n"));
  expect_input_error(folder_.write("tensor.pb", "\xff\xff\xff"));
  expect_input_error(folder_.write("images.idx3-ubyte", std::string("\0\0\x08\x03\0\0\0\x01", 8)));
  expect_input_error(folder_.write("unknown.dat", "hello"));
  expect_error({"run", model_, "--input", good_, good_, good_, "--index", "1"}, "usage", 2);
  expect_error({"run", model_, "--input", good_, "--calibrate", folder_.path("none.npy")}, "input", 3);
}

TEST_F(BadInput, IntegersThatDoNotFitTheirType) {
  const std::string model = folder_.write("q.onnx", quantised_model());
  for (const double value : {-1.0, 256.0, 0.5})
    expect_error({"run", model, "--input", folder_.write("x.npy", npy({1, 2, 6, 6}, value)), "--array", "8x8"}, "input",
                 3);
}

TEST_F(BadInput, PathsThatCannotBeWritten) {
  expect_error({"compile", model_, "--array", "8x8", "-o", folder_.path("no/such/folder/m.esp")}, "usage", 2);
  expect_error({"run", model_, "--input", good_, "--array", "8x8", "--report", folder_.path("no/such/r.html")}, "usage",
               2);
}

TEST_F(BadInput, XrtWithABadImage) {
  expect_error({"run", model_, "--input", good_, "--array", "8x8", "--device", "xrt", "--xclbin",
                folder_.write("bad.xclbin", "xclbin2 but nothing else")},
               "program", 6);
  expect_error({"run", model_, "--input", good_, "--array", "8x8", "--device", "xrt", "--xclbin",
                folder_.path("missing.xclbin")},
               "program", 6);
}

}  // namespace
}  // namespace espalier::test

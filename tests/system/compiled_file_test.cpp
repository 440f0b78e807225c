// Properties:
//   - a compiled file gives the outputs of the model it came from, on the array it names
//   - truncated, altered, other-array files are refused with code "program" and exit code 6, never a crash
#include <gtest/gtest.h>

#include "models.hpp"
#include "program.hpp"
#include "tools/npy.hpp"

namespace espalier::test {
namespace {

class CompiledFile : public testing::Test {
 protected:
  void SetUp() override {
    const std::string model = folder_.write("m.onnx", float_model());
    compiled_ = folder_.path("m.esp");
    const Outcome outcome = run_program({"compile", model, "--array", "8x8", "-o", compiled_, "--json"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(outcome.json().contains("layers"));
    const auto bytes = tools::format_npy({{3, 8, 8}, std::vector<float>(192, 0.25F)});
    input_ = folder_.write("x.npy", {bytes.begin(), bytes.end()});
    model_ = model;
  }

  Outcome run(const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"run", file, "--input", input_, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  void expect_refused(const Outcome& outcome, const std::string& what) {
    EXPECT_EQ(outcome.code, 6) << what << outcome.err;
    EXPECT_EQ(outcome.json()["error"]["code"], "program") << what;
  }

  Folder folder_;
  std::string model_, compiled_, input_;
};

TEST_F(CompiledFile, GivesTheOutputsOfItsModel) {
  const Outcome direct = run(model_, {"--array", "8x8"});
  const Outcome compiled = run(compiled_);
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  EXPECT_EQ(direct.json()["outputs"], compiled.json()["outputs"]);
  EXPECT_EQ(direct.json()["totals"], compiled.json()["totals"]);
  EXPECT_EQ(compiled.json()["array"], "8x8");
  EXPECT_EQ(run_program({"inspect", compiled_, "--json"}).code, 0);
}

TEST_F(CompiledFile, IsRefusedOnAnotherArray) { expect_refused(run(compiled_, {"--array", "16x16"}), "other array"); }

TEST_F(CompiledFile, IsRefusedIfTruncatedOrAltered) {
  const std::string bytes = read_bytes(compiled_);
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{8}, bytes.size() / 2, bytes.size() - 1})
    expect_refused(run(folder_.write("cut.esp", bytes.substr(0, size))), "cut to " + std::to_string(size));
  for (const double part : {0.0, 0.001, 0.1, 0.5, 0.9, 0.999}) {
    std::string altered = bytes;
    const auto position = static_cast<std::size_t>(part * static_cast<double>(bytes.size()));
    altered[position] = static_cast<char>(altered[position] ^ 0x10);
    expect_refused(run(folder_.write("altered.esp", altered)), "altered at " + std::to_string(position));
  }
  expect_refused(run(folder_.write("longer.esp", bytes + "x")), "longer");
}

}  // namespace
}  // namespace espalier::test

// Properties of `espalier verify`:
//   - layers, published networks, model files and compiled files run on functional and RTL without a difference
//   - the document has every output byte, counter, cycle count and mark
//   - unknown devices, missing files and damaged lines are refused with the documented codes
#include <gtest/gtest.h>

#include "models.hpp"
#include "program.hpp"

namespace espalier::test {
namespace {

using nlohmann::json;

void expect_equal(const std::vector<std::string>& arguments, bool reference) {
  std::vector<std::string> all{"verify"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  all.insert(all.end(), {"--json", "--array", "8x8", "--inputs", "2"});
  const Outcome outcome = run_program(all);
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  const json document = outcome.json();
  EXPECT_EQ(document["command"], "verify");
  EXPECT_EQ(document["devices"], json::array({"functional", "rtl"}));
  EXPECT_EQ(document["differences"], 0);
  ASSERT_EQ(document["inputs"].size(), 2U);
  std::vector<std::string> names;
  for (const json& quantity : document["inputs"][1]["quantities"]) {
    names.push_back(quantity["quantity"]);
    EXPECT_EQ(quantity["equal"], true) << quantity;
    EXPECT_EQ(quantity["values"][1], quantity["expected"]) << quantity;
  }
  EXPECT_EQ(names.front(), "equal output bytes");
  EXPECT_EQ(std::count(names.begin(), names.end(), "values of the CPU reference"), reference ? 1 : 0);
  for (const char* name :
       {"beats read", "beats written", "lane entries", "cycles", "cycles computing", "cycles control", "mark prologue"})
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
}

TEST(VerifyCommand, LayersAndNetworksAreEqualOnAllMachines) {
  expect_equal({"conv ic12 ih9 oc20 kh3 ph1 density0.3"}, true);
  expect_equal({"maxpool ic8 ih8 kh2 sh2"}, true);
  expect_equal({"resnet8", "--density", "0.2", "--seed", "3"}, true);
}

TEST(VerifyCommand, FilesAreEqualOnAllMachines) {
  const Folder folder;
  const std::string model = folder.write("m.onnx", float_model());
  const std::string compiled = folder.path("m.esp");
  expect_equal({model}, true);
  ASSERT_EQ(run_program({"compile", model, "--array", "8x8", "-o", compiled}).code, 0);
  expect_equal({compiled}, false);
}

TEST(VerifyCommand, RefusesWhatItCannotCompare) {
  EXPECT_EQ(run_program({"verify", "conv ic8 ih8 oc8", "--devices", "functional,none"}).code, 2);
  EXPECT_EQ(run_program({"verify", "conv ic8 ih8 oc8", "--devices", ""}).code, 2);
  EXPECT_EQ(run_program({"verify", "missing.onnx"}).code, 3);
  EXPECT_NE(run_program({"verify", "conv ic8 ihx"}).code, 0);
}

}  // namespace
}  // namespace espalier::test

// Properties, all through the genuine XRT and the simulated card of the build:
//   - a layer gives the reference's bits in the predicted cycles, for the default and for another memory
//   - the image is found by its manifest, and an image that is not the sealed one is refused; so is a core it does not
//   have
//   - a memory that answers with errors, or never, gives one clear error and its exit code, and the next run is good
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "bitstreams/manifest.hpp"
#include "bitstreams/xclbin_writer.hpp"
#include "program.hpp"

namespace espalier::test {
namespace {

Outcome bench(const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"bench", "layer", "conv ic8 ih10 oc16 kh3 ph1 density0.4", "--json"};
  const auto add_default = [&](const char* option, const char* value) {
    if (std::find(more.begin(), more.end(), option) == more.end()) arguments.insert(arguments.end(), {option, value});
  };
  add_default("--array", "8x8");
  add_default("--device", "xrt");
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

void expect_good(const Outcome& outcome) {
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto document = outcome.json();
  EXPECT_EQ(document["bit_exact"], true);
  EXPECT_EQ(document["measured_cycles"], document["predicted_cycles"]);
}

/// A variable of the environment of started programs, while the object lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(Card, GivesBitsAndCyclesAsPredicted) {
  expect_good(bench());
  expect_good(bench({"--memory", "bytes=16,latency=90"}));
  expect_good(bench({"--array", "32x32"}));
}

TEST(Card, ItsImageIsFoundByTheManifest) {
  const Folder folder;
  const auto bytes = bitstreams::make_image(abi::Array8x8);
  bitstreams::Manifest manifest;
  manifest.folder = folder.path("");
  manifest.image = "card.xclbin";
  manifest.device_names = {"espalier_simulation"};
  manifest.kernel = "espalier";
  manifest.configuration = abi::Array8x8;
  folder.write(manifest.image, {bytes.begin(), bytes.end()});
  folder.write(bitstreams::ManifestName, to_text(bitstreams::sealed(manifest)));
  const Variable variable("ESPALIER_IMAGES", folder.path("").c_str());
  expect_good(bench());

  const auto other = bitstreams::make_image(abi::Array16x16);
  folder.write(manifest.image, {other.begin(), other.end()});
  const Outcome refused = bench();
  EXPECT_EQ(refused.code, 6) << refused.err;
  EXPECT_EQ(refused.json()["error"]["what"], "the image is not that of the manifest");
}

TEST(Card, TheVariableNamesAnImage) {
  const Variable variable("ESPALIER_XCLBIN", "/nonexistent/card.xclbin");
  const Outcome outcome = bench();
  EXPECT_EQ(outcome.code, 6) << outcome.err;
  EXPECT_EQ(outcome.json()["error"]["where"], "/nonexistent/card.xclbin");
}

TEST(Card, ACoreThatTheImageDoesNotHaveIsOneClearError) {
  const Outcome outcome = bench({"--device", "xrt:0.1"});
  EXPECT_EQ(outcome.code, 7) << outcome.err;
  EXPECT_EQ(outcome.json()["error"]["where"], "xrt:0, espalier_2");
}

TEST(Card, FaultsOfItsMemoryAreOneClearError) {
  for (const auto& [fault, code, exit_code] :
       {std::tuple{"read-error", "device", 7}, {"write-error", "device", 7}, {"no-answer", "timeout", 8}}) {
    const Variable variable("ESPALIER_CARD_FAULT", fault);
    const Outcome outcome = bench();
    ASSERT_EQ(outcome.code, exit_code) << fault << outcome.err;
    EXPECT_EQ(outcome.json()["error"]["code"], code) << outcome.out;
    for (const char* key : {"what", "where", "action"})
      EXPECT_FALSE(outcome.json()["error"][key].get<std::string>().empty()) << key;
  }
  expect_good(bench());
}

}  // namespace
}  // namespace espalier::test

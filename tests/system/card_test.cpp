// Properties, all through the genuine XRT and the simulated card of the build:
//   - a layer gives the reference's bits in the predicted cycles, for the default and for another memory
//   - a memory that answers with errors, or never, gives one clear error and its exit code, and the next run is good
#include <gtest/gtest.h>

#include <cstdlib>

#include "program.hpp"

namespace espalier::test {
namespace {

Outcome bench(const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "bench", "layer", "conv ic8 ih10 oc16 kh3 ph1 density0.4", "--device", "xrt", "--array", "8x8", "--json"};
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

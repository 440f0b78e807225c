// Properties of `bench levers`, on the shipped digits:
//   - every lever has a row without it, in which everything is computed and every answer is that of computing all
//   - cache and filter compute less and take less time; a coarser step or threshold never computes more
//   - the chosen model is in time more often than the accurate one, and gives more of its answers than the fast one
//   - the adapted rate gives more right answers than the best and the worst quality alone
#include <map>

#include "command_runner.hpp"

namespace espalier::tools {
namespace {

class LeversCommand : public CommandRunner {
 protected:
  void measure() {
    ASSERT_EQ(run({"bench", "levers", "--array", "8x8", "--digits", ESPALIER_DIGITS, "--requests", "200"}), 0);
    for (const auto& row : answer()["rows"]) rows_[row["lever"]][row["setting"]] = row;
  }
  int number(const std::string& lever, const std::string& setting, const char* name) {
    return rows_.at(lever).at(setting).at(name).get<int>();
  }
  double time(const std::string& lever, const std::string& setting) {
    return rows_.at(lever).at(setting).at("microseconds_per_frame").get<double>();
  }

 private:
  std::map<std::string, std::map<std::string, nlohmann::json>> rows_;
};

TEST_F(LeversCommand, ShowsWhatEveryLeverSavesAndCosts) {
  measure();
  for (const auto& [lever, off, on] : {std::tuple{"result cache", "off", "step 0.05, 1000 kB"},
                                       {"result cache", "off, no noise", "step 0, 1000 kB, no noise"},
                                       {"frame filter", "off", "threshold 0.1"}}) {
    EXPECT_EQ(number(lever, off, "computed"), number(lever, off, "frames")) << lever;
    EXPECT_EQ(number(lever, off, "same"), number(lever, off, "frames")) << lever;
    EXPECT_LT(number(lever, on, "computed"), number(lever, off, "computed")) << lever;
    EXPECT_LT(time(lever, on), time(lever, off)) << lever;
  }
  // Without noise equal keys are equal frames: the cache costs no answer.
  EXPECT_EQ(number("result cache", "step 0, 1000 kB, no noise", "same"), 200);
  EXPECT_LE(number("result cache", "step 0.2, 1000 kB", "computed"),
            number("result cache", "step 0.05, 1000 kB", "computed"));
  EXPECT_GE(number("result cache", "step 0.05, 8 kB", "computed"),
            number("result cache", "step 0.05, 1000 kB", "computed"));
  EXPECT_LE(number("frame filter", "threshold 0.3", "computed"), number("frame filter", "threshold 0.1", "computed"));

  EXPECT_GT(number("model choice", "chosen", "computed"), number("model choice", "dense alone", "computed"));
  EXPECT_GE(number("model choice", "chosen", "same"), number("model choice", "pruned alone", "same"));
  const char* rate = "resolution and rate";
  EXPECT_GT(number(rate, "adapted", "right"), number(rate, "always 28x28, 25 Hz", "right"));
  EXPECT_GT(number(rate, "adapted", "right"), number(rate, "always 14x14, 12.5 Hz", "right"));
  EXPECT_GT(number(rate, "adapted", "right"), number(rate, "always 7x7, 25 Hz", "right"));
}

}  // namespace
}  // namespace espalier::tools

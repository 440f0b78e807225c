// Properties of training with exits, on images that are easy to tell apart:
//   - staged training leaves everything but the early classifiers as the trunk's phase made it, statistics included
//   - both methods teach every exit; the same seed gives the same network
#include "exit_training.hpp"

#include <gtest/gtest.h>

namespace espalier::trainer {
namespace {

constexpr std::int64_t Images = 256;

/// A digit is a bright row of its own.
Samples rows() {
  const torch::Tensor labels = torch::arange(Images, torch::kLong).remainder(10);
  torch::Tensor images = torch::zeros({Images, 1, 28, 28});
  for (std::int64_t i = 0; i < Images; ++i) images[i][0].slice(0, 2 * (i % 10) + 4, 2 * (i % 10) + 6).fill_(1.0);
  return {images, labels};
}

struct Result {
  ExitNetwork network{ExitHeads::All};
  std::vector<ExitPhaseLog> logs;
};

Result trained(ExitMethod method, std::int64_t head_epochs) {
  constexpr std::uint64_t Seed = 3;
  torch::manual_seed(Seed);
  Result result;
  ExitTraining options{.method = method, .head_epochs = head_epochs};
  options.phase.seed = Seed;
  options.phase.epochs = 4;
  options.phase.batch = 32;
  options.phase.augmentation = {.shift_pixels = 0, .rotation_degrees = 0, .scale = 0};
  result.logs = train_exits(result.network, rows(), rows(), options);
  return result;
}

bool early_classifier(const std::string& name) {
  return name.starts_with("classifier") && !name.starts_with("classifier" + std::to_string(Exits - 1));
}

TEST(ExitTraining, StagedLeavesTheTrunkAlone) {
  Result one = trained(ExitMethod::Staged, 1), three = trained(ExitMethod::Staged, 3);
  ASSERT_EQ(one.logs.size(), 2U);
  EXPECT_EQ(one.logs[1].epochs.size(), 1U);
  EXPECT_EQ(three.logs[1].epochs.size(), 3U);
  int early = 0;
  const auto compare = [&](const auto& first, const auto& second) {
    for (const auto& item : first) {
      const bool equal = torch::equal(item.value(), second[item.key()]);
      EXPECT_EQ(equal, !early_classifier(item.key())) << item.key();
      early += early_classifier(item.key()) ? 1 : 0;
    }
  };
  compare(one.network->named_parameters(), three.network->named_parameters());
  EXPECT_EQ(early, 2 * (static_cast<int>(Exits) - 1));
  compare(one.network->named_buffers(), three.network->named_buffers());
}

TEST(ExitTraining, TeachesEveryExit) {
  for (const ExitMethod method : {ExitMethod::Joint, ExitMethod::Staged}) {
    Result result = trained(method, 4), again = trained(method, 4);
    const std::vector<std::int64_t> correct = count_correct(result.network, rows());
    ASSERT_EQ(correct.size(), Exits);
    for (const std::int64_t one : correct) EXPECT_GT(one, Images / 2);
    EXPECT_EQ(correct, count_correct(again.network, rows()));
    const std::vector<ExitEpochLog>& last = result.logs.back().epochs;
    EXPECT_LT(last.back().training_loss, last.front().training_loss);
  }
}

}  // namespace
}  // namespace espalier::trainer

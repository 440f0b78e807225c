// The digit network with exits on the 10,000 test images of MNIST: share, accuracy and cycles of every exit, with the
// thresholds that held-out training images chose. All images run on CPU reference and functional model, the first 20 of
// every exit on the RTL. The images are not in the repository; their folder comes in ESPALIER_MNIST (./run proof exits
// gets them).
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "exits.hpp"

namespace espalier::test {
namespace {

void print(const ExitScores& scores) {
  std::printf("%-6s %8s %8s %10s %8s %8s\n", "exit", "images", "share", "accuracy", "cycles", "on RTL");
  for (std::size_t i = 0; i < scores.exits.size(); ++i) {
    const ExitScore& exit = scores.exits[i];
    const double left = exit.left;
    std::printf("%-6zu %8d %7.2f%% %9.2f%% %8llu %8d\n", i, exit.left, 100 * left / scores.images,
                exit.left == 0 ? 0.0 : 100 * exit.right / left, static_cast<unsigned long long>(exit.cycles),
                exit.on_rtl);
  }
  std::printf("%-6s %8d %7.2f%% %9.2f%% %8.0f\n", "all", scores.images, 100.0, 100.0 * scores.right() / scores.images,
              scores.mean_cycles());
  std::printf("last exit for every image: %.2f%%, %llu cycles\n", 100.0 * scores.right_at_last / scores.images,
              static_cast<unsigned long long>(scores.exits.back().cycles));
}

TEST(ExitsProof, AllTestImagesLeaveAtTheSameExitEverywhere) {
  const char* folder = std::getenv("ESPALIER_MNIST");
  if (folder == nullptr) GTEST_SKIP() << "set ESPALIER_MNIST to the folder with t10k-images-idx3-ubyte";
  const std::filesystem::path mnist = folder;
  const ExitScores scores = check_exits({mnist / "t10k-images-idx3-ubyte", mnist / "t10k-labels-idx1-ubyte"}, 0, 20);
  print(scores);
  ASSERT_EQ(scores.images, 10000);
  ASSERT_GE(scores.exits.size(), 3U);
  EXPECT_LE(scores.exits.front().cycles * 100, scores.exits.back().cycles * 35);
  EXPECT_GE(scores.exits.front().left, 9000);
  EXPECT_LT(scores.right_at_last - scores.right(), 20);  // 0.2 points
  for (const ExitScore& exit : scores.exits) EXPECT_GT(exit.on_rtl, 0);
}

}  // namespace
}  // namespace espalier::test

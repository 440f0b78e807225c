// The shipped digit networks on the shipped images:
//   - CPU reference, HLS kernels (by two compilers) and RTL give the same bytes
//   - every layer takes the predicted cycles on the RTL
//   - the answers are as good as they should be
#include <gtest/gtest.h>

#include "digits.hpp"

namespace espalier::test {
namespace {

const std::filesystem::path Folder = ESPALIER_DIGITS;
const DigitFiles Shipped{Folder / "images.idx3-ubyte", Folder / "labels.idx1-ubyte"};

TEST(Digits, PrunedNetworkGivesTheSameBytesEverywhereInThePredictedCycles) {
  const DigitScore score = check_digits(Folder / "digits_pruned_int8.onnx", Shipped, 0);
  EXPECT_EQ(score.images, 100);
  EXPECT_GE(score.right, 98);
}

TEST(Digits, DenseNetworkGivesTheSameBytesEverywhereInThePredictedCycles) {
  const DigitScore score = check_digits(Folder / "digits_dense_int8.onnx", Shipped, 10);
  EXPECT_EQ(score.images, 10);
}

}  // namespace
}  // namespace espalier::test

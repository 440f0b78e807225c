// The pruned digit network on the 10,000 test images of MNIST: CPU reference, HLS kernels (by two compilers) and RTL
// give the same bytes in the predicted cycles, and the accuracy is that of the README. The images are not in the
// repository; their folder comes in ESPALIER_MNIST (./run proof digits gets them).
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "digits.hpp"

namespace espalier::test {
namespace {

TEST(DigitsProof, AllTestImagesGiveTheSameBytesEverywhere) {
  const char* folder = std::getenv("ESPALIER_MNIST");
  if (folder == nullptr) GTEST_SKIP() << "set ESPALIER_MNIST to the folder with t10k-images-idx3-ubyte";
  const std::filesystem::path mnist = folder;
  const DigitScore score = check_digits(std::filesystem::path(ESPALIER_DIGITS) / "digits_pruned_int8.onnx",
                                        {mnist / "t10k-images-idx3-ubyte", mnist / "t10k-labels-idx1-ubyte"}, 0);
  RecordProperty("right", score.right);
  std::cout << score.right << " of " << score.images << " answers right\n";
  EXPECT_EQ(score.images, 10000);
  EXPECT_EQ(score.right, 9947);  // as the README says
}

}  // namespace
}  // namespace espalier::test

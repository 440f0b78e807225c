// The digit network on every machine: the same bytes for every image, the predicted cycles for every layer.
#pragma once

#include <filesystem>

namespace espalier::test {

struct DigitFiles {
  std::filesystem::path images;
  std::filesystem::path labels;
};

struct DigitScore {
  int images = 0;
  int right = 0;
};

/// Runs the quantised network in `model` on `count` images (0: all of them) on the CPU reference, the functional model
/// and the 16x16 RTL; fails the running test at the first difference.
DigitScore check_digits(const std::filesystem::path& model, const DigitFiles& files, int count);

}  // namespace espalier::test

// Which weights of a synthetic layer are pruned: by magnitude, whole units of a pattern at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace espalier::model {

enum class Pattern {
  Unstructured,  // single weights
  TwoOfFour,     // at most two of four consecutive input channels; units of four
  Block4x4,      // 4 output x 4 input channels of one kernel position
  FourOfNine,    // 3x3 kernels keep one of eight patterns of four, or nothing; other kernels are unstructured
};

/// "unstructured", "2:4", "block4x4" or "pattern4of9". Throws Error(Usage).
Pattern parse_pattern(std::string_view text);
const char* to_string(Pattern pattern);

/// Weights as [output][input][kernel_h][kernel_w].
struct WeightShape {
  int outputs = 1;
  int inputs = 1;  // of one group
  int kernel_h = 1;
  int kernel_w = 1;

  std::size_t taps() const { return static_cast<std::size_t>(kernel_h) * static_cast<std::size_t>(kernel_w); }
  std::size_t row() const { return static_cast<std::size_t>(inputs) * taps(); }
  std::size_t count() const { return static_cast<std::size_t>(outputs) * row(); }
};

/// 1 for the weights that stay. A pattern first keeps the largest weights it allows; then the units of least magnitude
/// go until `density` of all weights are left (to the nearest unit). A density above what the pattern allows has no
/// effect. Unstructured masks keep exactly round(density * count).
std::vector<std::uint8_t> make_mask(const WeightShape& shape, std::span<const float> magnitudes, Pattern pattern,
                                    double density);

}  // namespace espalier::model

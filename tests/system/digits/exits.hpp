// The digit network with exits on every machine: the same exit and the same bytes for every image, in the predicted
// cycles.
#pragma once

#include <cstdint>
#include <vector>

#include "digits.hpp"

namespace espalier::test {

/// What images did at one exit.
struct ExitScore {
  int left = 0;
  int right = 0;
  std::uint64_t cycles = 0;  // predicted, from the start to this exit
  int on_rtl = 0;            // images that were run on the RTL, too
};

struct ExitScores {
  int images = 0;
  int right_at_last = 0;  // right answers if all images went to the last exit
  std::vector<ExitScore> exits;

  int right() const;
  double mean_cycles() const;
};

/// Runs the shipped network with the shipped thresholds on `count` images (0: all of them) on the CPU reference and the
/// functional model, and on the 16x16 RTL the first `on_rtl` images of every exit; fails the running test at the first
/// difference.
ExitScores check_exits(const DigitFiles& files, int count, int on_rtl);

}  // namespace espalier::test

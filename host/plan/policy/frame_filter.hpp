// Frames that have not changed need no inference.
//
//   FrameFilter state;
//   FrameDecision decision = filter_frame({.threshold = 0.02F}, std::move(state), frame);
//
// A frame is compared with the last one that was let through, cell by cell, so that slow changes add up and a small
// object is not averaged away (frame differencing as in NoScope, Kang et al., PVLDB 2017, per cell).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace espalier::plan {

struct FilterSettings {
  float threshold = 0;        // mean absolute difference in a cell, in units of the input; 0: only equal frames pass by
  std::size_t cells = 64;     // stretches of equal length; at least 1
  std::size_t most_same = 0;  // unchanged frames in a row before one is let through all the same; 0: any number
};

struct FrameFilter {
  std::vector<float> reference;  // the last frame that was let through
  std::size_t same = 0;          // frames since
};

enum class FrameAction { Infer, Repeat };  // Repeat: the last answer holds

struct FrameDecision {
  FrameFilter state;
  FrameAction action = FrameAction::Infer;
  float change = 0;  // of the cell that has changed most
};

FrameDecision filter_frame(const FilterSettings& settings, FrameFilter state, std::span<const float> frame);

}  // namespace espalier::plan

#include "plan/policy/frame_filter.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace espalier::plan {
namespace {

float largest_change(std::span<const float> a, std::span<const float> b, std::size_t most_cells) {
  const std::size_t cells = std::min(most_cells, a.size());
  double largest = 0;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::size_t first = a.size() * cell / cells, last = a.size() * (cell + 1) / cells;
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    largest = std::max(largest, sum / static_cast<double>(last - first));
  }
  return static_cast<float>(largest);
}

}  // namespace

FrameDecision filter_frame(const FilterSettings& settings, FrameFilter state, std::span<const float> frame) {
  const bool comparable = !frame.empty() && state.reference.size() == frame.size();
  const float change = comparable ? largest_change(state.reference, frame, settings.cells) : 0;
  const bool due = settings.most_same != 0 && state.same >= settings.most_same;
  if (comparable && change <= settings.threshold && !due) {
    ++state.same;
    return {std::move(state), FrameAction::Repeat, change};
  }
  state.reference.assign(frame.begin(), frame.end());
  state.same = 0;
  return {std::move(state), FrameAction::Infer, change};
}

}  // namespace espalier::plan

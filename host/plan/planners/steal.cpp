#include "plan/planners/steal.hpp"

#include <cstddef>

namespace espalier::plan {

StealAction on_idle(StealState state, int device) {
  std::vector<int>& own = state.waiting[static_cast<std::size_t>(device)];
  if (!own.empty()) {
    const int tile = own.front();
    own.erase(own.begin());
    return {std::move(state), tile, device};
  }
  const int count = static_cast<int>(state.waiting.size());
  for (int offset = 0; offset < count; ++offset) {
    const int victim = (state.turn + offset) % count;
    std::vector<int>& tiles = state.waiting[static_cast<std::size_t>(victim)];
    if (tiles.empty()) continue;
    const int tile = tiles.back();
    tiles.pop_back();
    state.turn = (victim + 1) % count;
    return {std::move(state), tile, victim};
  }
  return {std::move(state), std::nullopt, -1};
}

}  // namespace espalier::plan

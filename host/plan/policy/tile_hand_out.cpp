#include "plan/policy/tile_hand_out.hpp"

#include <algorithm>
#include <utility>

namespace espalier::plan {
namespace {

/// The first tile that nobody computes; otherwise the one that the fewest others do.
std::optional<std::size_t> next_tile(const HandOutState& state, std::size_t worker) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < state.tiles.size(); ++i) {
    const TileState& tile = state.tiles[i];
    if (tile.done || std::count(tile.workers.begin(), tile.workers.end(), worker) != 0) continue;
    if (!best || tile.workers.size() < state.tiles[*best].workers.size()) best = i;
  }
  return best;
}

}  // namespace

HandOutState begin(std::size_t tiles, std::size_t workers) {
  return {std::vector<TileState>(tiles), std::vector<bool>(workers, true)};
}

HandOut hand_out(HandOutState state, const TileEvent& event) {
  HandOut out;
  if (event.kind == TileEvent::Kind::Done) {
    TileState& tile = state.tiles[event.tile];
    out.take = !std::exchange(tile.done, true);
    std::erase(tile.workers, event.worker);
  }
  if (event.kind == TileEvent::Kind::Lost) {
    state.alive[event.worker] = false;
    for (TileState& tile : state.tiles) std::erase(tile.workers, event.worker);
    for (std::size_t worker = 0; worker < state.alive.size(); ++worker)
      if (state.alive[worker]) out.wake.push_back(worker);
  } else if (state.alive[event.worker]) {
    out.give = next_tile(state, event.worker);
    if (out.give) state.tiles[*out.give].workers.push_back(event.worker);
  }
  out.finished = std::all_of(state.tiles.begin(), state.tiles.end(), [](const TileState& tile) { return tile.done; });
  out.stranded =
      !out.finished && std::none_of(state.alive.begin(), state.alive.end(), [](bool alive) { return alive; });
  out.state = std::move(state);
  return out;
}

}  // namespace espalier::plan

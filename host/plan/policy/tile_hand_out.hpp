// Which worker computes which tile. A worker that dies or is late changes the time, not the answer.
//
//   HandOutState state = begin(tiles, workers);
//   HandOut next = hand_out(std::move(state), {.kind = TileEvent::Kind::Idle, .worker = 2});
//
// Idle workers take the next tile; when none is left they steal one that another still computes (work stealing as in
// DeepThings, Zhao et al., TCAD 2018, but of running tiles, so that a silent worker is caught up with, too). The first
// result of a tile counts; all results of a tile are equal, so it does not matter whose.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace espalier::plan {

struct TileState {
  bool done = false;
  std::vector<std::size_t> workers;  // that compute it
};

struct HandOutState {
  std::vector<TileState> tiles;
  std::vector<bool> alive;  // per worker
};

struct TileEvent {
  enum class Kind { Idle, Done, Lost } kind = Kind::Idle;  // Lost: the worker answers no more
  std::size_t worker = 0;
  std::size_t tile = 0;  // Done
};

struct HandOut {
  HandOutState state;
  std::optional<std::size_t> give;  // tile for the event's worker
  bool take = false;                // Done: keep the result
  std::vector<std::size_t> wake;    // workers that may ask again: tiles came back
  bool finished = false;            // every tile is done
  bool stranded = false;            // tiles are left and no worker: the caller computes them
};

HandOutState begin(std::size_t tiles, std::size_t workers);

/// After Idle and Done the event's worker is given a tile if there is one for it. Results of workers that were lost
/// count, too.
HandOut hand_out(HandOutState state, const TileEvent& event);

}  // namespace espalier::plan

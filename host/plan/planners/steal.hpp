// DeepThings' work stealing as a pure function from state and event to action.
//
// Zhao, Barijough, Gerstlauer, IEEE TCAD 37(11), 2018: an idle device asks the gateway; the gateway answers, in turn,
// with a registered device that has tiles left; the thief then takes one from it.
#pragma once

#include <optional>
#include <vector>

namespace espalier::plan {

/// Tiles that each device has not begun, and the gateway's turn.
struct StealState {
  std::vector<std::vector<int>> waiting;
  int turn = 0;
};

struct StealAction {
  StealState state;
  std::optional<int> tile;  // to run on the device that is idle; none: nothing is left
  int victim = -1;          // whose it was
};

/// A device has nothing to do: it takes its own first tile, or the last of the next device in turn that has one.
StealAction on_idle(StealState state, int device);

}  // namespace espalier::plan

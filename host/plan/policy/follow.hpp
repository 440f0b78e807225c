// Following a plan: what one sample does next, as a pure function from state and event to actions. The simulation and
// any executor of plans share it.
//
//   FollowState state;
//   Followed next = follow(problem, plan, state, Begin{});
//   ... carry out next.actions; for each that ends: next = follow(problem, plan, next.state, Ended{action}) ...
//
// A plan runs step by step: inputs that the device does not hold are sent to it, then the layer, declared group or
// tiles run; the answer of an exit is sent home, and the sample leaves there or goes on.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "plan/cost/plan_data.hpp"
#include "plan/cost/tiles.hpp"

namespace espalier::plan {

/// Something that takes time on one device or link.
struct Action {
  enum class Kind {
    Send,         // tensor `tensor` from a device to another
    Layers,       // first..last on `to`: one layer, or a declared group
    SendPart,     // the input of tile `tile`, from the step's device to the tile's
    ComputePart,  // the layers of tile `tile` on its device
    ReturnPart,   // its output, back
  };
  Kind kind = Kind::Send;
  int from = 0, to = 0;
  int tensor = NetworkInput;
  int first = 0, last = 0;
  int tile = 0;
  friend bool operator==(const Action&, const Action&) = default;
};

/// The sample is at home.
struct Begin {};
/// An action has ended.
struct Ended {
  Action action;
};
/// The answer of an exit at home was looked at: the sample leaves, or goes on.
struct Decided {
  bool leaves = false;
};
using FollowEvent = std::variant<Begin, Ended, Decided>;

/// Where a sample is in its plan. A plain value.
struct FollowState {
  int step = 0;
  int layer = -1;     // of the step; -1: the step has not begun
  bool done = false;  // of `layer`, or of the whole step if it is a group or tiles: computed, answers still to send
  int answer = -1;    // the next layer of the step whose answer is to be looked at
  std::vector<int> maker;                       // per tensor, the network's input first; -1: not made
  std::vector<std::vector<bool>> holders;       // per tensor and device
  std::vector<std::vector<int>> waiting_tiles;  // per device: tiles that it has not begun
  int running = 0;                              // actions that have not ended
};

struct Followed {
  FollowState state;
  std::vector<Action> actions;  // to begin now
  std::optional<int> asks;      // the policy's leave whose answer is at home and must be looked at
  bool finished = false;        // the sample has left
};

/// Throws Error (Internal) for an event that cannot come in this state and for a plan that evaluate() refuses.
Followed follow(const Problem& problem, const SharedPlan& plan, FollowState state, const FollowEvent& event);

}  // namespace espalier::plan

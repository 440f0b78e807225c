// Where the layers of one network run on one machine with an accelerator, as a problem of plain numbers.
//
// Two forms. With fixed groups, every layer is a unit and neighbours on the accelerator keep their tensors there: the
// optimum is a minimum cut. With chosen groups, a group of layers is one program with its own windows: its cost is that
// of the whole program, and every tensor that enters or leaves it is converted and moved; the optimum is a shortest
// path.
//
// The objective of both is the time of one frame without overlap, in nanoseconds: times on the CPU, times on the
// accelerator, and transfers with their change of layout in both directions, each paid once per tensor and destination.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// A tensor of the network.
struct PlacedTensor {
  int maker = -1;            // layer; -1: an input of the network, which lies on the host
  std::vector<int> readers;  // layers
  bool answer = false;       // an output of the network, which the host needs
  Nanoseconds up = 0;        // from the host to the accelerator, with the change of layout
  Nanoseconds down = 0;      // back
};

/// Layers are numbered in topological order. Impossible as a cost: refused, or not allowed.
struct PlacementProblem {
  std::vector<Nanoseconds> host;         // per layer
  std::vector<Nanoseconds> accelerator;  // per layer; with chosen groups a lower bound of its share in any group
  std::vector<PlacedTensor> tensors;

  int layers() const { return static_cast<int>(host.size()); }
};

/// A set of layers that could be one program.
struct GroupCandidate {
  std::vector<int> layers;  // ascending
  Nanoseconds cost = 0;     // of one start to done, without transfers; Impossible: refused
  bool exact = true;        // otherwise `cost` is a lower bound
};

/// What to run after what: single layers on the host and groups on the accelerator.
struct PlacedBlock {
  int group = -1;           // index of the candidate; -1: one layer on the host
  std::vector<int> layers;  // ascending
};

struct GroupedPlan {
  Nanoseconds cost = Impossible;
  std::vector<PlacedBlock> blocks;  // in an order in which they can run
  bool complete = true;             // false: the search was ended early, a better plan may exist
};

/// The cost of a placement with fixed groups; `on_accelerator` per layer.
Nanoseconds fixed_cost(const PlacementProblem& problem, const std::vector<bool>& on_accelerator);

/// The best placement with fixed groups, by a minimum cut with both directions charged (after DADS, Hu et al., INFOCOM
/// 2019, whose construction leaves the way back free; a second node per tensor charges it). Cost Impossible if there is
/// none; `on_accelerator` is then empty.
struct FixedPlan {
  Nanoseconds cost = Impossible;
  std::vector<bool> on_accelerator;
};
FixedPlan best_fixed(const PlacementProblem& problem);

/// Layers in topological order; each goes where it and the transfers that it causes cost less, given those before it.
/// What is common today, for comparison.
FixedPlan greedy_fixed(const PlacementProblem& problem);

/// What a group costs with the tensors that enter and leave it.
Nanoseconds block_cost(const PlacementProblem& problem, const GroupCandidate& group);

/// The best division of the layers into single layers on the host and groups among `candidates`: the shortest path
/// through sets of finished layers, so that no group waits for itself. At most `most_states` sets are visited.
GroupedPlan best_grouped(const PlacementProblem& problem, const std::vector<GroupCandidate>& candidates,
                         std::size_t most_states = 200000);

}  // namespace espalier::plan

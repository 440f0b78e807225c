// A network with several outputs as stages: what the first output needs, what the second needs beyond that, and so on.
// Whoever runs the stages in order may stop after any of them and has the outputs so far.
//
//   Staged staged = in_stages(network);   // three outputs: staged.firsts == {0, 7, 15}, say
#pragma once

#include <vector>

#include "model/network.hpp"

namespace espalier::model {

struct Staged {
  Network network;          // its layers in the order of the stages; nothing else differs
  std::vector<int> firsts;  // first layer of every stage, one per output
};

/// Layers that no output needs come last. Throws Error (Usage) if an output needs no layer beyond those before it.
Staged in_stages(const Network& network);

}  // namespace espalier::model

// Ways to stream a step that does not fit the scratchpad with its images.
#pragma once

#include <limits>
#include <optional>

#include "compile/placement.hpp"
#include "compile/step_facts.hpp"

namespace espalier::compile {

/// A way to stream a step through an otherwise empty scratchpad, and what it costs.
struct Streaming {
  StepPlace place;
  double compute = 0;  // estimated cycles of the lanes
  double moved = 0;    // cycles of the memory
  double cost = std::numeric_limits<double>::infinity();
};

/// The cheapest way that fits, if there is one.
std::optional<Streaming> cheapest_streaming(const StepFacts& facts, const Step& step);

}  // namespace espalier::compile

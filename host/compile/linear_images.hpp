// Images that lie in memory as in the scratchpad, from the first word to the last.
#pragma once

#include "compile/placement.hpp"
#include "compile/step_facts.hpp"

namespace espalier::compile {

/// Marks images of the windows that are laid out by rows, or whose small planes would waste beats, if all steps hold
/// them as a whole and at most one writes them. Steps and pitches must be placed.
void find_linear(const StepFacts& facts, Placement& placement);

/// Whether all images that are laid out by rows are held as a whole wherever they are read.
bool held_whole(const Lowered& lowered, const Placement& placement);

}  // namespace espalier::compile

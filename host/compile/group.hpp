// Steps that run together strip by strip: what they hold in the scratchpad, and what that costs.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "compile/step_facts.hpp"

namespace espalier::compile {

/// A strip buffer of a group: rows of an image that a step of it makes or loads.
struct StripImage {
  int image = -1;
  int planes = 1;
  int stride = 1;  // rows between the strips of neighbouring positions
  int extent = 1;  // rows that a position reads
  bool load = false;
  bool store = false;
  int shared = -1;  // index of the strip image it is written over
};

/// What the steps of a group need of the scratchpad.
struct Group {
  int first = 0;
  int count = 1;
  std::vector<StripImage> strips;
  std::vector<int> loads;    // images brought in whole
  std::vector<int> outputs;  // images made whole
  double compute = 0;        // estimated cycles
  double stream = 0;         // cycles of the memory for weights
};

/// How a group is placed.
struct GroupPlan {
  int rows = 0;  // of a strip
  int buffers = 1;
  int evicted = 0;
  double cost = std::numeric_limits<double>::infinity();
};

/// Estimated cycles that the lanes wait for a step of a group at every turn.
inline constexpr double TurnCycles = 60;

/// Cycles of a beat that is loaded or stored while the lanes read.
inline constexpr double ContendedBeat = 1.3;

/// Cycles of a transfer while the lanes read over those of the memory alone.
inline double contended_share(const StepFacts& facts) { return std::max(1.0, ContendedBeat / facts.beat_cycles()); }

/// Words between planes, and of all planes, of a strip of so many rows of positions.
int strip_pitch(const StepFacts& facts, const StripImage& strip, int rows);
int strip_size(const StepFacts& facts, const StripImage& strip, int rows);

/// Whether every step can run in strips of so many rows: what is moved starts on beats, and the write programs fit.
bool strips_possible(const StepFacts& facts, const Group& group, int rows);

/// Cycles beyond those of the computation.
double group_cost(const StepFacts& facts, const Group& group, int rows, int buffers);

/// Whether a step of the group reads an image.
bool read_in(const StepFacts& facts, const Group& group, int image);

/// Index of the strip buffer of an image; -1 if it has none.
int strip_index(const Group& group, int image);

}  // namespace espalier::compile

// Into which strips of rows a step is cut, so that its loads and stores overlap with its computation.
#pragma once

#include <vector>

#include "esp_memory_model.hpp"

namespace espalier::compile {

/// Strips that are asked for instead of those of the estimate.
struct StripChoice {
  int count = 1;
  int first = 0;  // rows of positions in the first one; 0: as many as in the others
};

/// What the choice depends on; estimated cycles.
struct StripProblem {
  int height = 1;           // rows of positions
  int most = 1;             // of a strip
  double compute = 0;       // of the lanes, for a row of positions
  double weights = 0;       // of the memory: what every strip streams again
  double chunks = 1;        // compute commands of a strip
  double store = 0;         // of the memory, for a row of positions
  bool store_rows = false;  // a strip can be stored by itself; otherwise all rows are stored with the last one
  double load = 0;          // of the memory, for a row of inputs
  double loaded_rows = 0;   // inputs of the first row of positions
  double rows_per_row = 1;  // more inputs for every other one
};

/// The heights of the strips, which sum to the height: the fewest estimated cycles.
std::vector<int> estimate_strips(const StripProblem& problem);

/// The same for a choice, as far as `problem.most` allows.
std::vector<int> chosen_strips(const StripProblem& problem, const StripChoice& choice);

}  // namespace espalier::compile

// Which tiles a layer computes: the choice with the fewest estimated cycles.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/layout.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// What the choice depends on.
struct TilingProblem {
  int height = 1, width = 1;  // of the output map
  int rows = 1;               // output channels
  double slots = 1;           // per position, over all rows
  Window window;
  int input_height = 1, input_width = 1;
  int input_channels = 1;
  std::vector<Layout> destinations;  // what readers want; empty: anything
  std::vector<Layout> sources;       // layouts in which the input is written anyway
};

/// The cheapest tiling whose write program fits the machine.
Tiling choose_tiling(const TilingProblem& problem, const abi::Configuration& configuration);

/// The grid that needs the fewest words for a map that is read word by word (global pooling).
Tiling fewest_words(int height, int width, const abi::Configuration& configuration);

}  // namespace espalier::compile

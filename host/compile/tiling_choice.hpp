// Which tiles a layer computes, and how many channels a word of them holds: the choice with the fewest estimated
// cycles.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/layer_ways.hpp"
#include "compile/layout.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// What the choice depends on.
struct TilingProblem {
  int height = 1, width = 1;  // of the output map
  Window window;
  int input_height = 1, input_width = 1;
  int input_channels = 1;            // of all operands
  int most_source_split = 64;        // channels in a word that the input can have without another copy of it
  std::vector<SplitOption> splits;   // at least that of one channel in a word
  std::vector<Layout> destinations;  // what readers want; empty: anything
  std::vector<Layout> sources;       // layouts in which the input is written anyway
};

/// The cheapest tiling.
Tiling choose_tiling(const TilingProblem& problem, const abi::Configuration& configuration);

/// The cheapest tiling of the input map of a layer that reads it word by word (global pooling).
Tiling choose_words(const TilingProblem& problem, const abi::Configuration& configuration);

/// The grid that needs the fewest words for a map, with `split` channels in a word.
Tiling fewest_words(int height, int width, int split, const abi::Configuration& configuration);

}  // namespace espalier::compile

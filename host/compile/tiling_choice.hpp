// Which tiles a layer computes, and how many channels a word of them holds: the choice with the fewest estimated
// cycles.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
  int input_channels = 1;                    // of one operand
  std::optional<int> strand_gap;             // padding between rows of the map, if strands are possible
  int channels_per_result = 1;               // input channels that a result is computed from
  int most_source_split = 64;                // channels in a word that the input can have without another copy of it
  std::vector<SplitOption> splits;           // not empty
  std::optional<Layout> destination;         // what the output is written to; none: anything
  std::vector<std::vector<Layout>> sources;  // per operand, what other readers want of it; empty: anything is free
  bool loaded = false;                       // the input comes from memory
  double beat_cycles = 1;                    // of the memory
};

struct TilingChoice {
  Tiling tiling;
  double cost = 0;  // estimated cycles, with those of a copy of the input
};

/// The grid that needs the fewest words for a map, with `split` channels in a word.
Tiling fewest_words(int height, int width, int split, const abi::Configuration& configuration);

/// Chooses tiles; remembers what it has estimated.
class TilingChooser {
 public:
  explicit TilingChooser(const abi::Configuration& configuration) : configuration_(configuration) {}

  /// The cheapest tiling.
  TilingChoice tiling(const TilingProblem& problem);

  /// The cheapest tiling of the input map of a layer that reads it word by word (global pooling).
  TilingChoice words(const TilingProblem& problem);

  /// Tilings that cost the lanes and the weight unit at most `share` times the cycles of the best, the best first; also
  /// packed ones, which must take fewer positions than any other.
  std::vector<Tiling> candidates(const TilingProblem& problem, double share, bool packed) const;

  /// Estimated cycles of the layer with these tiles, with those of a copy of the input. Infinite where the estimate
  /// itself would take too long.
  double cost(const TilingProblem& problem, const Tiling& tiling);

  /// Cycles to bring an image of `channels` channels into another layout.
  double copying(const Layout& from, const Layout& to, int channels);

 private:
  /// Words that a result is written to, over all positions, and how often it is computed because the table of
  /// permutations does not hold all.
  struct Writing {
    double words = 0;
    int passes = 1;
  };

  bool stageable(const TilingProblem& problem, const Tiling& tiling) const;
  double compute(const TilingProblem& problem, const Tiling& tiling, double load = 0) const;
  double loading(const TilingProblem& problem, const Layout& source) const;
  double reading(const TilingProblem& problem, const Layout& source);
  Writing writing(const Tiling& tiling, const Layout& layout);

  const abi::Configuration& configuration_;
  std::map<std::vector<int>, Writing> known_;  // by the fields of tiling and layout
};

}  // namespace espalier::compile

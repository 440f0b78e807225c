// In which ways a layer can be computed: channels in a word, and how its weights are streamed.
#pragma once

#include <optional>
#include <vector>

#include "compile/compile.hpp"
#include "esp_abi.hpp"
#include "model/network.hpp"

namespace espalier::compile {

/// One way to stream the weights of a layer.
struct Way {
  double slots = 1;      // per position, over all rows
  double stream = 1;     // cycles per slot of the weight unit or the memory
  bool resident = true;  // a row fits the weight store; otherwise it is streamed for every position
  double first = 0;      // slots that a slow memory streams before it is ahead of the lanes
};

/// A number of channels in a word of results, and of the input.
struct SplitOption {
  int split = 1;
  int rows = 1;  // divide_up(channels, split)
  std::vector<Way> ways;
};

/// The channels that one step of a layer computes, and where they go.
struct ChannelPlace {
  int channels = 1;
  bool last = true;  // no channels of another layer follow them in the image
};

/// What a layer can be computed with, by rising split; the first has one channel in a word.
class LayerWays {
 public:
  LayerWays(const model::Network& network, const model::Layer& layer, const abi::Configuration& configuration,
            const Options& options)
      : network_(network), layer_(layer), configuration_(configuration), options_(options) {}

  std::vector<SplitOption> options(const ChannelPlace& place) const;

 private:
  bool possible(int split, const ChannelPlace& place) const;
  std::vector<Way> ways(int split, int channels) const;
  std::vector<Way> convolution_ways(int split) const;
  double private_stream(int split) const;
  double union_size(int split) const;
  int input_channels() const;

  const model::Network& network_;
  const model::Layer& layer_;
  const abi::Configuration& configuration_;
  const Options& options_;
};

/// Whether a convolution with this kernel can have addresses generated at issue (WeightsDense).
bool dense_kernel(int kernel_y, int kernel_x);

}  // namespace espalier::compile

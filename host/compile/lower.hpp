// From layers to steps: which tiles and how many channels in a word every layer computes, and in which layout every
// feature is stored.
//
// The layouts are those of layout_choice.hpp. A concatenation whose inputs have its quantisation costs nothing: the
// inputs are written into its planes, whose words never hold channels of two inputs.
#pragma once

#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "compile/layout.hpp"
#include "esp_abi.hpp"
#include "model/network.hpp"

namespace espalier::compile {

/// A feature, or the concatenation it is written into, in one layout.
struct Image {
  std::string name;
  int feature = -1;  // index into Network::features
  int channels = 0;
  int planes = 0;  // at least those of the channels; results of more channels in a word may fill some beyond
  Layout layout;
  std::int8_t fill = 0;  // bytes outside the map
  bool input = false;    // lies in the input window, packed by the host
  bool output = false;   // lies in the output window
  bool vector = false;   // a packed vector: in memory its planes follow each other without a gap
  /// Rows lie one after the other, each with the columns of all planes, so that the first rows are the first words.
  bool by_rows = false;
};

/// Planes [plane, ...) of an image, as one input of a step.
struct Operand {
  int image = -1;
  int plane = 0;
};

/// What the rows of a step compute.
enum class StepKind {
  Convolution,  // weights of the layer
  Pool,         // taps of weight 1: maximum, or sum of a window
  GlobalPool,   // the same over the map, then over the pixels of a word
  Add,          // two operands
  Requantise,   // one tap of weight 1 with a scale
  Copy,         // one tap, exactly the input: another layout of the same feature
};

/// A layer, or a part of one, that reads whole images and writes planes of one image. A row computes the channels of
/// one word of its tiling, tiling.word.split; the words of its inputs have the same shape.
struct Step {
  StepKind kind = StepKind::Convolution;
  int layer = 0;
  int part = 0;  // which input of a concatenation
  std::vector<Operand> inputs;
  int output = -1;  // image
  int output_channel = 0;
  int output_channels = 0;
  int input_channels = 0;
  int groups = 1;  // channel groups that do not depend on each other
  Tiling tiling;
  Window window;
  std::int32_t zero_in = 0;
  bool vector = false;  // a convolution of one position, by WeightsVector

  int split() const { return tiling.word.split; }
  int rows() const { return divide_up(output_channels, split()); }
  int planes() const { return divide_up(input_channels, split()); }
  /// Whether a channel is computed from that channel of the inputs alone, and a row from one plane.
  bool channelwise() const { return groups == input_channels && groups == output_channels; }
  int row_groups() const { return channelwise() ? rows() : groups; }
  int rows_per_group() const { return rows() / row_groups(); }
  int planes_per_group() const { return planes() / row_groups(); }
};

/// A network in steps. `last_step[layer]` is one past the steps of that layer; steps are in layer order.
struct Lowered {
  std::vector<Image> images;
  std::vector<Step> steps;
  std::vector<int> last_step;
  std::vector<int> input_images;   // per image in the input window: index into images, in order of their features
  std::vector<int> output_images;  // per network output
};

/// Throws Error(Unsupported) for shapes the machine cannot hold at all.
Lowered lower(const model::Network& network, const abi::Configuration& configuration, const Options& options);

}  // namespace espalier::compile

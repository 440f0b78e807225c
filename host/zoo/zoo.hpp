// Published networks by their geometry, with seeded synthetic weights: what the network tables are measured on.
//
//   model::Network network = zoo::build("resnet50", {.density = 0.25});
//
// Every layer has its published sizes; weights, biases, scales and zero points are pseudo-random, chosen so that random
// int8 inputs use the int8 range in every layer. Batch normalisation is folded; the softmax is left to the host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/masks.hpp"
#include "model/network.hpp"

namespace espalier::zoo {

struct Options {
  double density = 1.0;  // share of non-zero weights of every convolution and fully connected layer
  model::Pattern pattern = model::Pattern::Unstructured;
  double first_density = 0.5;      // the first convolution is unstructured and not sparser than this
  double depthwise_density = 1.0;  // of depthwise convolutions, unstructured
  double width = 1.0;              // of the channels; MobileNets
  int resolution = 0;              // height and width of the input; 0: as published
  int classes = 0;                 // outputs of the last layer, of VGG16 only with fully_connected; 0: as published
  bool fully_connected = false;    // VGG16 with its three fully connected layers
  std::uint64_t seed = 1;
};

/// The names that build() knows.
///   resnet50      He et al. 2015 with the stride in the 3x3 convolution (as MLPerf runs it), 4089 M MACs
///   resnet50_v1   the same with the stride in the first 1x1 convolution, as first published, 3858 M MACs
///   resnet18      1814 M MACs
///   vgg16         Simonyan and Zisserman 2014, configuration D; its convolutions have 15347 M MACs
///   mobilenet_v1  Howard et al. 2017, width and resolution are options, 569 M MACs
///   mobilenet_v2  Sandler et al. 2018, 301 M MACs
///   resnet8       MLPerf Tiny image classification, 32x32, 12.5 M MACs
///   ds_cnn        MLPerf Tiny keyword spotting, 49x10, 2.66 M MACs
const std::vector<std::string>& names();

/// The network; a function of name and options alone. Throws Error(Usage) for an unknown name and for options that the
/// network does not have or that are out of range.
model::Network build(std::string_view name, const Options& options);

}  // namespace espalier::zoo

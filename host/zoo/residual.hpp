// The networks of convolutions without groups.
#pragma once

#include "model/network.hpp"
#include "zoo/zoo.hpp"

namespace espalier::zoo {

/// What is left of the options once the published values are in.
struct Sizes {
  int resolution = 224;
  int classes = 1000;
};

model::Network resnet50(const Sizes& sizes, const Options& options, bool stride_first);
model::Network resnet18(const Sizes& sizes, const Options& options);
model::Network resnet8(const Sizes& sizes, const Options& options);
model::Network vgg16(const Sizes& sizes, const Options& options);

}  // namespace espalier::zoo

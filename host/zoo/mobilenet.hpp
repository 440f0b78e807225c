// The networks of depthwise and pointwise convolutions.
#pragma once

#include "model/network.hpp"
#include "zoo/residual.hpp"
#include "zoo/zoo.hpp"

namespace espalier::zoo {

model::Network mobilenet_v1(const Sizes& sizes, const Options& options);
model::Network mobilenet_v2(const Sizes& sizes, const Options& options);
/// The input is a spectrogram of 49 x 10; `sizes.resolution` is not used.
model::Network ds_cnn(const Sizes& sizes, const Options& options);

}  // namespace espalier::zoo

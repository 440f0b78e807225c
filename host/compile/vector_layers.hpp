// Fully connected layers that run as the product of a sparse matrix and a vector (WeightsVector).
//
// Such a layer computes one position. Its input is loaded from memory into every bank, in any layout; a feature that
// only such layers write and read is a packed vector: words of as many channels as pixels, without gaps.
#pragma once

#include <vector>

#include "compile/compile.hpp"
#include "compile/layout.hpp"
#include "esp_abi.hpp"
#include "model/network.hpp"

namespace espalier::compile {

struct VectorLayers {
  std::vector<bool> layers;
  std::vector<bool> features;  // that are packed vectors
};

/// The layers that are estimated to be faster this way, and to fit.
VectorLayers choose_vector_layers(const model::Network& network, const abi::Configuration& configuration,
                                  const Options& options);

/// The layout of a packed vector.
Layout vector_layout(const model::Feature& feature, const abi::Configuration& configuration);

}  // namespace espalier::compile

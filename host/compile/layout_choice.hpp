// Which tiles every layer computes, and in which layouts every feature is stored, for a whole network.
//
//   const LayoutPlan plan = choose_layouts(network, configuration, options);
//
// A first choice is made from the last layer to the first: a layer takes the tiles that cost least given the layout its
// readers want, and its producer then writes what this layer reads. Then the tiles of several layers at a time are
// changed as long as the estimated cycles of the whole network fall.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "compile/compile.hpp"
#include "compile/layout.hpp"
#include "compile/layout_rules.hpp"
#include "compile/vector_layers.hpp"
#include "esp_abi.hpp"
#include "model/network.hpp"

namespace espalier::compile {

/// A layout that readers of a feature want.
struct Request {
  Layout layout;
  FillRule fill;
};

/// The planes of a concatenation that a feature is written into; or the feature itself.
struct Root {
  int feature = -1;
  int channel = 0;
};

struct LayoutPlan {
  std::vector<Root> roots;                     // per feature
  std::vector<std::vector<Request>> requests;  // per root feature: the first is written, the others are copies of it
  std::vector<std::vector<Tiling>> tilings;    // per layer and input
  VectorLayers vectors;

  const Root& root(int feature) const { return roots[static_cast<std::size_t>(feature)]; }
  /// Whether an input of a concatenation is written into it by the layer that computes it.
  bool in_place(const model::Layer& layer, std::size_t part) const {
    return root(layer.inputs[part]).feature == root(layer.output).feature;
  }
};

/// Chooses tiles and layouts of all layers.
LayoutPlan choose_layouts(const model::Network& network, const abi::Configuration& configuration,
                          const Options& options);

/// Per layer, up to `most` tilings of its first input that are estimated to be about as fast, the fastest first; none
/// of global pooling.
std::vector<std::vector<Tiling>> alternative_tilings(const model::Network& network,
                                                     const abi::Configuration& configuration, const Options& options,
                                                     std::size_t most);

}  // namespace espalier::compile

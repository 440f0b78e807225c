// Facts of single layers that layouts depend on: windows, what lies outside a map, and which features agree.
#pragma once

#include <optional>

#include "compile/layout.hpp"
#include "esp_abi.hpp"
#include "model/network.hpp"

namespace espalier::compile {

/// What a reader needs in the bytes outside the map.
struct FillRule {
  enum class Kind { Any, AtMost, Exactly } kind = Kind::Any;
  int value = 0;

  /// A rule that satisfies both, if there is one.
  static std::optional<FillRule> merged(const FillRule& a, const FillRule& b);
};

Window window_of(const model::Layer& layer);
bool windowed(model::LayerKind kind);
bool global_pool(model::LayerKind kind);
bool same_quantisation(const model::Feature& a, const model::Feature& b);
/// What an input of a layer holds outside the map.
FillRule fill_rule(const model::Network& network, const model::Layer& layer, const model::Feature& in);
/// The words of a map that is pooled as a whole, with as many channels in them as in the result.
Tiling pooled_words(const model::Feature& in, const Tiling& result, const abi::Configuration& configuration);

}  // namespace espalier::compile

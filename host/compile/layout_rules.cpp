#include "compile/layout_rules.hpp"

#include <algorithm>

#include "compile/tiling_choice.hpp"

namespace espalier::compile {

using model::Feature;
using model::Layer;
using model::LayerKind;

std::optional<FillRule> FillRule::merged(const FillRule& a, const FillRule& b) {
  if (a.kind == Kind::Any) return b;
  if (b.kind == Kind::Any) return a;
  if (a.kind == Kind::AtMost && b.kind == Kind::AtMost) return FillRule{Kind::AtMost, std::min(a.value, b.value)};
  if (a.kind == Kind::AtMost) return merged(b, a);
  const bool agree = b.kind == Kind::Exactly ? a.value == b.value : a.value <= b.value;
  return agree ? std::optional(a) : std::nullopt;
}

bool same_quantisation(const Feature& a, const Feature& b) {
  return a.zero == b.zero && !(a.scale < b.scale) && !(a.scale > b.scale);
}

Window window_of(const Layer& layer) {
  return {layer.kernel_h,   layer.kernel_w,   layer.stride_h, layer.stride_w,
          layer.dilation_h, layer.dilation_w, layer.pad_top,  layer.pad_left};
}

bool windowed(LayerKind kind) {
  return kind == LayerKind::Convolution || kind == LayerKind::MaxPool || kind == LayerKind::AveragePool;
}

bool global_pool(LayerKind kind) { return kind == LayerKind::GlobalAveragePool || kind == LayerKind::GlobalMaxPool; }

Tiling pooled_words(const Feature& in, const Tiling& result, const abi::Configuration& configuration) {
  return fewest_words(in.height, in.width, result.word.split, configuration);
}

FillRule fill_rule(const model::Network& network, const Layer& layer, const Feature& in) {
  if (layer.kind == LayerKind::GlobalMaxPool) return {FillRule::Kind::AtMost, -128};
  if (layer.kind == LayerKind::GlobalAveragePool) return {FillRule::Kind::Exactly, in.zero};
  const bool padded = layer.pad_top > 0 || layer.pad_left > 0 || layer.pad_bottom > 0 || layer.pad_right > 0;
  if (!windowed(layer.kind) || !padded) return {};
  if (layer.kind == LayerKind::MaxPool) {
    int low = -128;
    for (const Layer& producer : network.layers) {
      const Feature& produced = network.features[static_cast<std::size_t>(producer.output)];
      if (&produced == &in && producer.kind != LayerKind::Concat) low = producer.low;
    }
    return {FillRule::Kind::AtMost, low};
  }
  return {FillRule::Kind::Exactly, in.zero};
}

}  // namespace espalier::compile

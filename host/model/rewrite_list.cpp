#include "model/rewrite_list.hpp"

#include <algorithm>
#include <array>

#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

/// A step that refuses nothing.
template <void (*Step)(Graph&)>
void plain(Graph& graph, RefusalList& /*refusals*/) {
  Step(graph);
}

void remove_dead_code(Graph& graph) { graph.remove_dead_nodes(); }

constexpr std::array Steps = {
    Rewrite{"remove-dead-code", "operators whose results nobody reads vanish", RewriteKind::Simplify,
            plain<remove_dead_code>},
    Rewrite{"fold-constants", "operators of constants become their result", RewriteKind::Simplify,
            plain<fold_constants>},
    Rewrite{"split-slices", "Split becomes one Slice for each of its results", RewriteKind::Simplify,
            plain<split_slices>},
    Rewrite{"static-quantisation",
            "ConvInteger and MatMulInteger with their scales become Conv and MatMul with integer weights; "
            "DynamicQuantizeLinear before them gives way to calibrated ranges",
            RewriteKind::Simplify, make_quantisation_static},
    Rewrite{"remove-identities", "Identity, Dropout and Cast to the same type vanish", RewriteKind::Simplify,
            plain<remove_identities>},
    Rewrite{"hard-sigmoid", "clip(x + 3, 0, 6) / 6 and clip(x / 6 + 1/2, 0, 1) become HardSigmoid",
            RewriteKind::Simplify, plain<find_hard_sigmoid>},
    Rewrite{"hard-swish", "x HardSigmoid(x) and x clip(x + 3, 0, 6) / 6 become HardSwish", RewriteKind::Simplify,
            plain<find_hard_swish>},
    Rewrite{"squeeze-excite", "the gate of a squeeze-and-excite block is computed on 1 x 1 maps by convolutions",
            RewriteKind::Simplify, plain<find_squeeze_excite>},
    Rewrite{"expand-quantised-operators",
            "QLinear operators become DequantizeLinear, the float operator and QuantizeLinear", RewriteKind::Lower,
            plain<expand_qlinear>},
    Rewrite{"detach-softmax", "a Softmax that only feeds an output is left to the host", RewriteKind::Lower,
            plain<detach_epilogues>},
    Rewrite{"take-quantisation", "QuantizeLinear and DequantizeLinear become the scales of tensors",
            RewriteKind::Required, strip_quantisation},
    Rewrite{"remove-transposes", "Transposes merge, become Reshapes or change the order of weights", RewriteKind::Lower,
            plain<remove_transposes>},
    Rewrite{"to-maps", "every activation becomes a map, and products, batch norms and constants become convolutions",
            RewriteKind::Required, to_maps},
    Rewrite{"fold-batch-norm", "factors and shifts per channel merge into the convolution before them",
            RewriteKind::Lower, plain<fold_affine>},
    Rewrite{"fold-clamps", "Clip merges into the operator before it or moves before a Concat", RewriteKind::Lower,
            plain<fold_clamps>},
    Rewrite{"fold-padding", "Pad merges into the windows behind it", RewriteKind::Lower, plain<fold_pads>},
    Rewrite{"pads-to-maps", "every other Pad becomes a convolution of one tap with padding", RewriteKind::Required,
            plain<convolve_pads>},
};

Graph apply(Graph graph, const RewriteOptions& options, bool only_simplify) {
  check_rewrites(options);
  RefusalList refusals;
  for (const Rewrite& step : Steps) {
    if (only_simplify && step.kind != RewriteKind::Simplify) continue;
    if (options.without.contains(std::string(step.name))) continue;
    step.apply(graph, refusals);
    // Later steps work on maps only.
    if (step.apply == to_maps) refusals.raise("graph '" + graph.name + "'");
  }
  refusals.raise("graph '" + graph.name + "'");
  graph.remove_dead_nodes();
  graph.sort();
  return graph;
}

}  // namespace

const char* to_string(RewriteKind kind) {
  if (kind == RewriteKind::Required) return "required";
  return kind == RewriteKind::Lower ? "lower" : "simplify";
}

std::span<const Rewrite> rewrites() { return Steps; }

void check_rewrites(const RewriteOptions& options) {
  for (const std::string& name : options.without) {
    const auto step =
        std::find_if(Steps.begin(), Steps.end(), [&](const Rewrite& known) { return known.name == name; });
    if (step == Steps.end())
      throw Error(ErrorCode::Usage, "there is no such rewrite", "--no-rewrite", name,
                  "espalier inspect --list-rewrites prints the names");
    if (step->kind == RewriteKind::Required)
      throw Error(ErrorCode::Usage, "nothing can be lowered without this rewrite", "--no-rewrite", name,
                  "leave the option out");
  }
}

Graph simplify(Graph graph, const RewriteOptions& options) { return apply(std::move(graph), options, true); }

Graph canonicalise(Graph graph, const RewriteOptions& options) { return apply(std::move(graph), options, false); }

}  // namespace espalier::model

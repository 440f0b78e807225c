// Cross-layer equalisation: channels between convolutions are scaled so that each uses the range of its tensor.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compress/sample.hpp"
#include "model/graph.hpp"

namespace espalier::compress {

/// Convolutions, by node name, and the scaled channels between them.
struct Equalised {
  std::vector<std::string> writers, readers;
  double largest_scale = 1;  // of any channel, or its inverse if that is larger
};

/// Scales the groups of channels of channel_groups.hpp: what convolutions write by 1 / s, the weights that read it by
/// s, s = a^e / w^(1 - e). a is the channel's largest magnitude in the samples over that of its tensor, the most of all
/// tensors of the group; w the same of the weights that read it, over those of their output. (Xiao et al. 2023,
/// SmoothQuant, and Nagel et al. 2019, Data-Free Quantization, section 4.1, over residual additions.) e of every
/// connected set of tensors is the one of 0, 1/4, 1/2, 3/4 and 1 with the least noise by a model of uniform rounding in
/// int8; where none has less than before, nothing is scaled. A channel that the samples leave below 1/32 of its tensor
/// counts as 1/32: other inputs may reach further. The graph computes the same function, up to float32 rounding.
/// Returns the sets that were scaled. Throws Error(Input) for activations that are not finite.
std::vector<Equalised> equalise(model::Graph& canonical, std::span<const Sample> samples);

}  // namespace espalier::compress

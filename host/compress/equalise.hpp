// Cross-layer equalisation: channels between two convolutions are scaled so that both weight tensors use their range.
#pragma once

#include <string>
#include <vector>

#include "model/graph.hpp"

namespace espalier::compress {

/// Two convolutions whose channels between them were scaled.
struct Equalised {
  std::string first, second;  // node names
  double largest_scale = 1;   // of any channel, or its inverse if that is larger
};

/// Scales output channel i of a convolution by 1 / s_i and the weights of the next one that read it by s_i, with
/// s_i = sqrt(r1_i / r2_i) from the largest magnitudes r1_i and r2_i of both (Nagel et al. 2019, Data-Free
/// Quantization, section 4.1), repeatedly until nothing changes. The canonical graph computes the same function. Pairs
/// are convolutions with float weights, with nothing or a ReLU between them, average pools, and max pools, and no other
/// reader of the values between; channels without weights on one side stay.
std::vector<Equalised> equalise(model::Graph& canonical);

}  // namespace espalier::compress

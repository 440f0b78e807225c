// A layer as one line of text, for benches, tests and failure messages.
//
//   model::Network network = model::parse_layer("conv ic64 ih56 iw56 oc64 kh3 kw3 ph1 pw1 density0.25 int8");
//
// First the kind: conv, fc, maxpool, avgpool, gmaxpool, gavgpool, add, concat, requantise. Then key and value without a
// space, in any order:
//   ic ih iw     input channels, height, width; iw defaults to ih; only fc has a default for ih (1)
//   oc           output channels (conv, fc); default ic
//   kh kw        kernel; kw defaults to kh, kh to 1; fc always has a kernel of the map's size
//   sh sw        stride; sw defaults to sh, sh to 1
//   ph pw pb pr  padding above, left, below, right; pw defaults to ph, ph to 0, pb to ph, pr to pw
//   dh dw        dilation 1 = dense; dw defaults to dh, dh to 1
//   g            groups, default 1; depthwise is g = ic = oc
//   oh ow        output height and width; refused if they are not what follows from the other keys
//   batch        fc: so many inputs at once, default 1; they are the columns of a map of ic * ih * iw channels
//   n            inputs of concat, each of ic channels; default 2
//   density      share of non-zero weights, 0 to 1, default 1; exactly round(density * weights) are not zero
//   pattern2:4 block4x4 pattern4of9   where weights are not zero, see masks.hpp; density removes whole units of them
//   includepad   avgpool: divide by all taps
//   relu relu6   clamp of the result
//   int8         the weights that are not zero: any of -127..127 (default); or one of these sets, in equal shares:
//   int4         -8..7
//   ternary      -1 and 1
//   binary       -1 and 1
//   codebookN    2^N - 1 values drawn at random, N of 2 to 8
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/network.hpp"

namespace espalier::model {

/// The network of one layer that `text` describes, with pseudo-random weights, biases, zero points and scales that are
/// a function of text and seed alone, on every machine. The outputs of random int8 inputs use the int8 range. Throws
/// Error(Usage) that names the wrong token, Error(Model) if sums of the layer can exceed 32 bits.
Network parse_layer(std::string_view text, std::uint64_t seed = 1);

/// The line for a layer: sizes always, every other key only if it differs from its default.
std::string to_text(const Network& network, const Layer& layer);

}  // namespace espalier::model

// The network of the proof: small to compute, with tensors that are large beside the headers of a request.
#pragma once

#include "compress/quantised.hpp"

namespace espalier::test {

/// 3x32x32 -> five convolutions with an addition over two of them and two poolings -> ten values. Weights are
/// pseudo-random, the same every time.
compress::Quantised edge_network();

}  // namespace espalier::test

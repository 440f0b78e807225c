// Rounding that compensates: weights of one output are rounded up or down so that their errors cancel in its results.
#pragma once

#include <span>

#include "compress/sample.hpp"
#include "compress/weight_choice.hpp"
#include "model/graph.hpp"

namespace espalier::compress {

/// Moves the rounded weights of the convolutions chosen as int8, int4 or ternary to neighbouring levels, so that the
/// squared error of each result over the samples falls: cyclic coordinate descent on (q - w)' H (q - w), H the second
/// moments of what the weights multiply (Behdin et al. 2023, QuantEase; the objective of Frantar et al. 2023, GPTQ).
/// `centred`: the covariance instead, for results whose mean error is taken out of the biases afterwards. `rounded` is
/// `reals` after set_weights(); scales stay, zeros stay zeros, and the modelled error never grows. H is measured at up
/// to 8192 places of a map over all samples and is kept in blocks of whole input channels of at most 512 weights. A
/// sample costs one pass.
void compensate_rounding(const model::Graph& reals, model::Graph& rounded, std::span<const WeightChoice> choices,
                         std::span<const Sample> samples, bool centred);

}  // namespace espalier::compress

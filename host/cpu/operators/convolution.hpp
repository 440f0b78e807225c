// Convolutions in any number of spatial axes, shared by real and integer forms.
#pragma once

#include "cpu/operators/call.hpp"

namespace espalier::cpu::operators {

/// Input N x C x D1 x ..., weights M x C/group x K1 x ... and, if not empty, M biases: N x M x O1 x ... The attributes
/// are those of Conv. Integers are exact; padding is zero.
TypedTensor convolve(const Call& call, const TypedTensor& input, const TypedTensor& weights, const TypedTensor* bias,
                     DataType type);

}  // namespace espalier::cpu::operators

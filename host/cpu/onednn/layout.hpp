// How tensors lie in memory: maps with their channels innermost, all else row-major.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <span>

#include "model/array.hpp"

namespace espalier::cpu::onednn {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

/// Float32, the last axis innermost.
Desc row_major(const Dims& dims);
/// Float32; tensors of three to five axes have the channels (axis 1) innermost, others are row-major.
Desc channels_last(const Dims& dims);
/// channels_last() whose layout is for the primitive to choose.
Desc any_layout(const Dims& dims);

Dims dims_of(const Desc& desc);
/// The shape, with one axis for a scalar.
Dims dims_of(const model::Shape& shape);

/// True if both name the same elements in the same places; axes of size 1 have no say.
bool same_places(const Desc& a, const Desc& b);

}  // namespace espalier::cpu::onednn

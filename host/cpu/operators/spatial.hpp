// Sliding windows over any number of spatial axes.
#pragma once

#include "cpu/operators/call.hpp"

namespace espalier::cpu::operators {

/// Of a map N x C x D1 x ... Dn: one entry per spatial axis.
struct SpatialWindow {
  Shape input, kernel, stride, dilation, before, after, output;

  std::size_t axes() const { return input.size(); }
  /// The coordinate of a tap for an output coordinate; outside of 0 .. input - 1 it lies in the padding.
  std::int64_t at(std::size_t axis, std::int64_t out, std::int64_t tap) const {
    return out * stride[axis] - before[axis] + tap * dilation[axis];
  }
  /// Taps of an axis that lie inside the map: [first, last).
  std::int64_t first_tap(std::size_t axis, std::int64_t out) const;
  std::int64_t last_tap(std::size_t axis, std::int64_t out) const;
};

/// The spatial sizes of a map. Throws Error(Model) if it has no spatial axis or one without elements.
Shape spatial_sizes(const Call& call, const TypedTensor& map);

/// Reads strides, dilations, pads, auto_pad and ceil_mode; kernel_shape must be `kernel` if that is not empty. Throws
/// Error(Model) if sizes do not fit, the kernel is larger than the padded map or anything is below its least value.
SpatialWindow read_spatial_window(const Call& call, const Shape& input, Shape kernel);

/// An attribute with one positive (or, of pads, not negative) value per axis.
Shape spatial_attribute(const Call& call, const char* key, std::size_t count, std::int64_t otherwise,
                        std::int64_t least);

/// Positions in a channel's map: row-major output positions [first, last) by taps; -1 in the padding.
Integers window_positions(const SpatialWindow& window, std::int64_t first, std::int64_t last);

}  // namespace espalier::cpu::operators

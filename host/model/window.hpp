// The sliding window of convolutions and pools.
#pragma once

#include <array>
#include <cstdint>

#include "model/graph.hpp"

namespace espalier::model {

/// Index 0 is the vertical, 1 the horizontal direction. All sizes are between 1 and 65535, padding between 0 and 65535.
struct Window {
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 2> before{0, 0};
  std::array<std::int64_t, 2> after{0, 0};

  std::int64_t extent(std::size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  /// Output size for an input size; below 1 if the kernel does not fit.
  std::int64_t outputs(std::size_t axis, std::int64_t input) const {
    const std::int64_t room = input + before[axis] + after[axis] - extent(axis);
    return room < 0 ? 0 : room / stride[axis] + 1;
  }
};

/// Reads kernel_shape (or `kernel` if absent), strides, dilations, pads, auto_pad and ceil_mode for a map of height x
/// width, resolves the last two into explicit padding. Throws Error(Unsupported) for anything but two directions.
Window read_window(const Node& node, std::array<std::int64_t, 2> map, std::array<std::int64_t, 2> kernel);

/// Stores a window with explicit padding in the attributes; read_window gives it back for every map.
void write_window(Node& node, const Window& window);

}  // namespace espalier::model

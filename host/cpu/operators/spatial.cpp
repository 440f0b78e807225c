#include "cpu/operators/spatial.hpp"

#include <algorithm>

#include "cpu/operators/indexing.hpp"

namespace espalier::cpu::operators {
namespace {

// Attributes are bounded so that no product of them overflows.
constexpr std::int64_t MostOfAttribute = std::int64_t{1} << 24;

void resolve_auto_pad(const Call& call, SpatialWindow& window) {
  const std::string mode = call.text("auto_pad", "NOTSET");
  for (std::size_t axis = 0; axis < window.axes() && mode != "NOTSET"; ++axis) {
    std::int64_t total = 0;
    if (mode != "VALID") {
      const std::int64_t outputs = (window.input[axis] + window.stride[axis] - 1) / window.stride[axis];
      const std::int64_t extent = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
      total = std::max<std::int64_t>((outputs - 1) * window.stride[axis] + extent - window.input[axis], 0);
    }
    window.before[axis] = mode == "SAME_LOWER" ? total - total / 2 : total / 2;
    window.after[axis] = total - window.before[axis];
  }
}

}  // namespace

std::int64_t SpatialWindow::first_tap(std::size_t axis, std::int64_t out) const {
  const std::int64_t start = at(axis, out, 0);
  return start >= 0 ? 0 : std::min((-start + dilation[axis] - 1) / dilation[axis], kernel[axis]);
}

std::int64_t SpatialWindow::last_tap(std::size_t axis, std::int64_t out) const {
  const std::int64_t room = input[axis] - at(axis, out, 0);
  return room <= 0 ? 0 : std::min((room + dilation[axis] - 1) / dilation[axis], kernel[axis]);
}

Shape spatial_sizes(const Call& call, const TypedTensor& map) {
  call.require(map.shape.size() > 2, "a map with spatial axes is expected", map.shape);
  Shape sizes(map.shape.begin() + 2, map.shape.end());
  call.require(std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 0; }), "the map is empty",
               map.shape);
  return sizes;
}

Shape spatial_attribute(const Call& call, const char* key, std::size_t count, std::int64_t otherwise,
                        std::int64_t least) {
  Shape values = call.integers(key, Shape(count, otherwise));
  if (values.empty()) values.assign(count, otherwise);
  if (values.size() != count || std::any_of(values.begin(), values.end(), [&](std::int64_t value) {
        return value < least || value > MostOfAttribute;
      }))
    call.fail(std::string("the attribute '") + key + "' does not fit", model::to_string(values));
  return values;
}

SpatialWindow read_spatial_window(const Call& call, const Shape& input, Shape kernel) {
  const std::size_t axes = input.size();
  SpatialWindow window;
  window.input = input;
  if (kernel.empty()) {
    call.require(call.has_attribute("kernel_shape"), "the attribute 'kernel_shape' is missing");
    kernel = spatial_attribute(call, "kernel_shape", axes, 1, 1);
  } else if (call.has_attribute("kernel_shape")) {
    call.require(call.integers("kernel_shape", {}) == kernel, "kernel_shape is not that of the weights", kernel);
  }
  window.kernel = std::move(kernel);
  call.require(window.kernel.size() == axes &&
                   std::all_of(window.kernel.begin(), window.kernel.end(), [](std::int64_t size) { return size > 0; }),
               "the kernel does not fit the map", window.kernel);
  window.stride = spatial_attribute(call, "strides", axes, 1, 1);
  window.dilation = spatial_attribute(call, "dilations", axes, 1, 1);
  const Shape pads = spatial_attribute(call, "pads", 2 * axes, 0, 0);
  window.before.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  window.after.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
  resolve_auto_pad(call, window);
  const bool up = call.integer("ceil_mode", 0) != 0;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t extent = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
    const std::int64_t room = input[axis] + window.before[axis] + window.after[axis] - extent;
    call.require(room >= 0, "the kernel is larger than the padded map", window.kernel);
    window.output.push_back((room + (up ? window.stride[axis] - 1 : 0)) / window.stride[axis] + 1);
  }
  call.count(window.output);
  return window;
}

Integers window_positions(const SpatialWindow& window, std::int64_t first, std::int64_t last) {
  const Shape strides = strides_of(window.input), steps = strides_of(window.output);
  Integers positions;
  Shape out(window.axes());
  for (std::int64_t position = first; position < last; ++position) {
    std::int64_t rest = position;
    for (std::size_t axis = 0; axis < window.axes(); ++axis) {
      out[axis] = rest / steps[axis];
      rest %= steps[axis];
    }
    for_each(window.kernel, [&](const Shape& tap, std::int64_t) {
      std::int64_t source = 0;
      for (std::size_t axis = 0; axis < window.axes() && source >= 0; ++axis) {
        const std::int64_t at = window.at(axis, out[axis], tap[axis]);
        source = at < 0 || at >= window.input[axis] ? -1 : source + at * strides[axis];
      }
      positions.push_back(source);
    });
  }
  return positions;
}

}  // namespace espalier::cpu::operators

#include "model/window.hpp"

#include <algorithm>

#include "esp_error.hpp"

namespace espalier::model {
namespace {

constexpr std::int64_t Largest = 65535;

[[noreturn]] void refuse(ErrorCode code, const char* problem, const Node& node, const std::string& value,
                         const char* action = "use two-dimensional windows with sizes from 1 to 65535") {
  throw Error(code, problem, node.where(), value, action);
}

std::array<std::int64_t, 2> pair(const Node& node, const char* key, std::array<std::int64_t, 2> otherwise) {
  const auto values = node.integers(key, {otherwise[0], otherwise[1]});
  if (values.size() != 2)
    refuse(ErrorCode::Unsupported, "the window does not have two directions", node,
           std::string(key) + " of " + std::to_string(values.size()));
  for (const std::int64_t value : values)
    if (value < 1 || value > Largest)
      refuse(ErrorCode::Model, "a window size is out of range", node, std::string(key) + " " + std::to_string(value));
  return {values[0], values[1]};
}

void read_pads(const Node& node, Window& window) {
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  if (pads.size() != 4)
    refuse(ErrorCode::Unsupported, "the padding does not have two directions", node, std::to_string(pads.size()));
  for (const std::int64_t pad : pads) {
    if (pad < 0) refuse(ErrorCode::Unsupported, "negative padding is not supported", node, std::to_string(pad));
    if (pad > Largest) refuse(ErrorCode::Model, "the padding is out of range", node, std::to_string(pad));
  }
  window.before = {pads[0], pads[1]};
  window.after = {pads[2], pads[3]};
}

void pad_to_same(Window& window, std::array<std::int64_t, 2> map, bool upper) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t outputs = (map[axis] + window.stride[axis] - 1) / window.stride[axis];
    const std::int64_t total =
        std::max<std::int64_t>((outputs - 1) * window.stride[axis] + window.extent(axis) - map[axis], 0);
    window.before[axis] = upper ? total / 2 : total - total / 2;
    window.after[axis] = total - window.before[axis];
  }
}

/// Pads so that the partial window at the end counts, unless it would start behind the map and its leading padding.
void round_up(const Node& node, Window& window, std::array<std::int64_t, 2> map) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t room = map[axis] + window.before[axis] + window.after[axis] - window.extent(axis);
    const std::int64_t rest = room < 0 ? 0 : room % window.stride[axis];
    if (rest == 0) continue;
    const std::int64_t start = (room / window.stride[axis] + 1) * window.stride[axis];
    if (start >= map[axis] + window.before[axis]) continue;
    if (node.integer("count_include_pad", 0) != 0)
      refuse(ErrorCode::Unsupported, "ceil_mode together with count_include_pad is not supported", node, "ceil_mode 1",
             "export with explicit padding");
    window.after[axis] += window.stride[axis] - rest;
  }
}

}  // namespace

Window read_window(const Node& node, std::array<std::int64_t, 2> map, std::array<std::int64_t, 2> kernel) {
  Window window;
  window.kernel = pair(node, "kernel_shape", kernel);
  window.stride = pair(node, "strides", {1, 1});
  window.dilation = pair(node, "dilations", {1, 1});
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) {
    read_pads(node, window);
  } else if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    pad_to_same(window, map, mode == "SAME_UPPER");
  } else if (mode != "VALID") {
    refuse(ErrorCode::Model, "unknown auto_pad", node, mode, "export with explicit padding");
  }
  if (node.integer("ceil_mode", 0) != 0) round_up(node, window, map);
  return window;
}

void write_window(Node& node, const Window& window) {
  const auto list = [](const std::array<std::int64_t, 2>& values) {
    return std::vector<std::int64_t>(values.begin(), values.end());
  };
  node.attributes.erase("auto_pad");
  node.attributes.erase("ceil_mode");
  node.attributes["kernel_shape"] = list(window.kernel);
  node.attributes["strides"] = list(window.stride);
  node.attributes["dilations"] = list(window.dilation);
  node.attributes["pads"] =
      std::vector<std::int64_t>{window.before[0], window.before[1], window.after[0], window.after[1]};
}

}  // namespace espalier::model

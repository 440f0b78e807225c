#include "model/inference_resampling.hpp"

#include <algorithm>

#include "model/refusals.hpp"

namespace espalier::model {
namespace {

std::vector<std::int64_t> constant_list(const Graph& graph, const Node& node, std::size_t input, const char* what) {
  if (!node.has_input(input)) damaged(std::string(what) + " is missing", node);
  const Value& value = graph.value(node.inputs[input]);
  if (!value.constant)
    unsupported(std::string(what) + " is not constant", node, value.name, "export with constant folding");
  return value.constant->as_integers();
}

std::int64_t count_of(const Graph& graph, const Node& node, std::size_t input) {
  return count_elements(graph.value(node.inputs[input]).shape, node.where());
}

Shape broadcast(const Node& node, const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) damaged("the shapes do not fit", node, to_string(a) + " and " + to_string(b));
    result[result.size() - 1 - i] = std::max(x, y);
  }
  return result;
}

Shape resize(const Graph& graph, const Node& node) {
  const Shape& from = graph.value(node.inputs[0]).shape;
  Shape sizes = constant_list(graph, node, 3, "the size");
  if (sizes.size() != from.size()) damaged("the size does not fit the rank", node, to_string(sizes));
  for (const std::int64_t size : sizes)
    if (size < 1 || size > MaxElements) damaged("a size is out of range", node, std::to_string(size));
  return sizes;
}

/// ceil((end - start) / step) along every listed axis, for steps of at least 1.
Shape slice(const Graph& graph, const Node& node) {
  Shape result = graph.value(node.inputs[0]).shape;
  const auto starts = constant_list(graph, node, 1, "the start"), ends = constant_list(graph, node, 2, "the end");
  const auto axes = constant_list(graph, node, 3, "the list of axes"),
             steps = constant_list(graph, node, 4, "the step");
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    damaged("starts, ends, axes and steps differ in size", node);
  std::vector<bool> seen(result.size(), false);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= static_cast<std::int64_t>(result.size()) || seen[static_cast<std::size_t>(axes[i])])
      damaged("the axis is out of range or given twice", node, std::to_string(axes[i]));
    const auto axis = static_cast<std::size_t>(axes[i]);
    seen[axis] = true;
    const std::int64_t size = result[axis];
    const auto place = [&](std::int64_t index) {
      return std::clamp<std::int64_t>(index < -size ? 0 : index < 0 ? index + size : index, 0, size);
    };
    if (steps[i] < 1 || steps[i] > MaxElements)
      unsupported("only steps forwards are supported", node, std::to_string(steps[i]), "slice forwards");
    const std::int64_t length = place(ends[i]) - place(starts[i]);
    result[axis] = length < 1 ? 0 : (length - 1) / steps[i] + 1;
  }
  return result;
}

/// (in - 1) stride + kernel - padding + output_padding; weights are [inputs, outputs / groups, height, width].
Shape transposed_convolution(const Graph& graph, const Node& node) {
  const Shape &map = graph.value(node.inputs[0]).shape, &weights = graph.value(node.inputs[1]).shape;
  const auto strides = node.integers("strides", {1, 1}), pads = node.integers("pads", {0, 0, 0, 0});
  const auto more = node.integers("output_padding", {0, 0});
  const std::int64_t groups = node.integer("group", 1);
  if (map.size() != 4 || weights.size() != 4 || strides.size() != 2 || pads.size() != 4 || more.size() != 2)
    unsupported("only two-dimensional maps are supported", node, to_string(map),
                "use batch x channels x height x width");
  if (groups < 1 || weights[0] != map[1] || map[1] % groups != 0)
    damaged("channels, groups and weights do not fit", node, to_string(map) + " with " + to_string(weights));
  Shape result{map[0], weights[1] * groups, 0, 0};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    for (const std::int64_t value : {strides[axis], pads[axis], pads[axis + 2], more[axis]})
      if (value < 0 || value > 65535) damaged("a size of the window is out of range", node, std::to_string(value));
    result[axis + 2] =
        (map[axis + 2] - 1) * strides[axis] + weights[axis + 2] - pads[axis] - pads[axis + 2] + more[axis];
    if (result[axis + 2] < 1) damaged("the kernel does not fit the padded map", node, to_string(map));
  }
  const bool has_bias = node.has_input(2);
  if (has_bias && count_of(graph, node, 2) != result[1])
    damaged("the bias does not fit the output channels", node, std::to_string(count_of(graph, node, 2)));
  return result;
}

}  // namespace

std::optional<Shape> resampled_shape(const Graph& graph, const Node& node) {
  const std::string& op = node.op;
  const bool same = op == "LeakyRelu" || op == "Tanh" || op == "Abs";
  const bool two = op == "PRelu" || op == "Max" || op == "Min";
  if (!same && !two && op != "Resize" && op != "Slice" && op != "ConvTranspose") return {};
  const Value& first = graph.value(node.inputs.at(0));
  if (first.type != ElementType::Float)
    unsupported("the operator is only supported on float32 tensors", node, to_string(first.type),
                "dequantise before it");
  if (same) return first.shape;
  if (two) {
    const Shape result = broadcast(node, first.shape, graph.value(node.inputs.at(1)).shape);
    if (op == "PRelu" && result != first.shape) damaged("the slope enlarges the tensor", node, to_string(result));
    return result;
  }
  if (op == "Resize") return resize(graph, node);
  return op == "Slice" ? slice(graph, node) : transposed_convolution(graph, node);
}

}  // namespace espalier::model

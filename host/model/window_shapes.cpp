// Shapes of convolutions and pools over any number of directions, and of what resamples maps.
#include <algorithm>
#include <cmath>

#include "model/refusals.hpp"
#include "model/shape_rules.hpp"

namespace espalier::model {
namespace {

using Shapes = std::vector<Shape>;

/// Sizes of the directions of a map: all axes behind batch and channels.
Shape directions(const ShapeQuestions& ask, std::size_t input) {
  const Shape& shape = ask.shape(input);
  if (shape.size() < 3)
    unsupported("only maps are supported: batch, channels and directions", ask.node(),
                to_string(shape) + " as input " + std::to_string(input),
                "use tensors of batch x channels x directions");
  return {shape.begin() + 2, shape.end()};
}

Shape joined(std::int64_t batch, std::int64_t channels, const Shape& sizes) {
  Shape result{batch, channels};
  result.insert(result.end(), sizes.begin(), sizes.end());
  return result;
}

/// What a window that slides over `sizes` makes of them.
Shape slid(const ShapeQuestions& ask, const Shape& sizes, const Shape& kernel) {
  const std::size_t axes = sizes.size();
  ask.require(kernel.size() == axes, "the kernel does not fit the map", kernel);
  const Shape strides = ask.per_axis("strides", axes, 1), dilations = ask.per_axis("dilations", axes, 1);
  const Shape pads = ask.per_axis("pads", 2 * axes, 0);
  const std::string mode = ask.node().text("auto_pad", "NOTSET");
  const bool up = ask.node().integer("ceil_mode", 0) != 0;
  Shape result;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t extent = (kernel[i] - 1) * dilations[i] + 1;
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      result.push_back((sizes[i] + strides[i] - 1) / strides[i]);
      continue;
    }
    const std::int64_t padding = mode == "VALID" ? 0 : pads[i] + pads[axes + i];
    const std::int64_t room = sizes[i] + padding - extent;
    ask.require(room >= 0, "the kernel is larger than the padded map", kernel);
    result.push_back((room + (up ? strides[i] - 1 : 0)) / strides[i] + 1);
  }
  return result;
}

Shapes convolution(const ShapeQuestions& ask) {
  const Shape sizes = directions(ask, 0), kernel = directions(ask, 1);
  const Shape &map = ask.shape(0), &weights = ask.shape(1);
  const std::int64_t groups = ask.node().integer("group", 1);
  ask.require(kernel.size() == sizes.size() && groups > 0 && map[1] % groups == 0 && map[1] / groups == weights[1] &&
                  weights[0] % groups == 0,
              "channels, groups and weights do not fit", weights);
  if (ask.has(2)) ask.require(ask.shape(2) == Shape{weights[0]}, "the bias does not fit", ask.shape(2));
  return {joined(map[0], weights[0], slid(ask, sizes, kernel))};
}

Shapes pool(const ShapeQuestions& ask) {
  const Shape sizes = directions(ask, 0), kernel = ask.per_axis("kernel_shape", sizes.size(), 1);
  ask.require(ask.node().attributes.contains("kernel_shape"), "kernel_shape is missing");
  const Shape result = joined(ask.shape(0)[0], ask.shape(0)[1], slid(ask, sizes, kernel));
  return {result, result};
}

/// Batch and channels are read only of what directions() took for a map.
Shapes global_pool(const ShapeQuestions& ask) {
  const std::size_t axes = directions(ask, 0).size();
  return {joined(ask.shape(0)[0], ask.shape(0)[1], Shape(axes, 1))};
}

/// (size - 1) stride + extent + output_padding - pads, or what auto_pad or output_shape say.
Shapes transposed_convolution(const ShapeQuestions& ask) {
  const Shape sizes = directions(ask, 0), kernel = directions(ask, 1);
  const std::size_t axes = sizes.size();
  const Shape &map = ask.shape(0), &weights = ask.shape(1);
  const std::int64_t groups = ask.node().integer("group", 1);
  ask.require(kernel.size() == axes && groups > 0 && weights[0] == map[1] && map[1] % groups == 0,
              "channels, groups and weights do not fit", weights);
  if (ask.has(2)) ask.require(ask.shape(2) == Shape{weights[1] * groups}, "the bias does not fit", ask.shape(2));
  const Shape strides = ask.per_axis("strides", axes, 1), dilations = ask.per_axis("dilations", axes, 1);
  const Shape pads = ask.per_axis("pads", 2 * axes, 0), more = ask.per_axis("output_padding", axes, 0);
  const std::string mode = ask.node().text("auto_pad", "NOTSET");
  Shape wanted = ask.node().integers("output_shape", {});
  if (wanted.size() == axes + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  ask.require(wanted.empty() || wanted.size() == axes, "output_shape does not fit", wanted);
  Shape result;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t full = (sizes[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 + more[i];
    const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    result.push_back(!wanted.empty()   ? wanted[i]
                     : same            ? sizes[i] * strides[i]
                     : mode == "VALID" ? full
                                       : full - pads[i] - pads[axes + i]);
  }
  return {joined(map[0], weights[1] * groups, result)};
}

Shapes unpooled(const ShapeQuestions& ask) {
  if (ask.has(2)) return {ask.list(2, "")};
  const Shape sizes = directions(ask, 0);
  const std::size_t axes = sizes.size();
  const Shape kernel = ask.per_axis("kernel_shape", axes, 1), strides = ask.per_axis("strides", axes, 1);
  const Shape pads = ask.per_axis("pads", 2 * axes, 0);
  Shape result;
  for (std::size_t i = 0; i < axes; ++i)
    result.push_back((sizes[i] - 1) * strides[i] + kernel[i] - pads[i] - pads[axes + i]);
  return {joined(ask.shape(0)[0], ask.shape(0)[1], result)};
}

Shapes aligned_regions(const ShapeQuestions& ask) {
  ask.require(ask.rank(0) == 4 && ask.rank(1) == 2, "a map and regions are expected", ask.shape(1));
  return {{ask.shape(1)[0], ask.shape(0)[1], ask.node().integer("output_height", 1),
           ask.node().integer("output_width", 1)}};
}

Shapes sampled(const ShapeQuestions& ask) {
  ask.require(ask.rank(0) == 4 && ask.rank(1) == 4, "a map and a grid are expected", ask.shape(1));
  return {{ask.shape(0)[0], ask.shape(0)[1], ask.shape(1)[1], ask.shape(1)[2]}};
}

Shape scaled(const ShapeQuestions& ask, const std::vector<double>& scales) {
  const Shape& shape = ask.shape(0);
  ask.require(scales.size() == shape.size(), "there is not one scale per axis", shape);
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const double length = std::floor(static_cast<double>(shape[i]) * scales[i]);
    ask.require(scales[i] > 0 && length <= static_cast<double>(MaxElements), "a scale does not fit", shape);
    result.push_back(static_cast<std::int64_t>(length));
  }
  return result;
}

Shapes resized(const ShapeQuestions& ask) {
  if (ask.graph().opset < 11) return {scaled(ask, ask.reals(1, ""))};
  const std::vector<double> scales = ask.has(2) ? ask.reals(2, "") : std::vector<double>();
  if (!scales.empty()) return {scaled(ask, scales)};
  Shape sizes = ask.list(3, "");
  ask.require(sizes.size() == ask.rank(0), "there is not one size per axis", sizes);
  return {std::move(sizes)};
}

Shapes upsampled(const ShapeQuestions& ask) { return {scaled(ask, ask.reals(1, "scales"))}; }

}  // namespace

ShapeRules window_shape_rules() {
  return {{"AveragePool", pool},
          {"Conv", convolution},
          {"ConvTranspose", transposed_convolution},
          {"GlobalAveragePool", global_pool},
          {"GlobalLpPool", global_pool},
          {"GlobalMaxPool", global_pool},
          {"GridSample", sampled},
          {"LpPool", pool},
          {"MaxPool", pool},
          {"MaxUnpool", unpooled},
          {"Resize", resized},
          {"RoiAlign", aligned_regions},
          {"Upsample", upsampled}};
}

}  // namespace espalier::model

// Resize, Upsample and GridSample.
#include <algorithm>
#include <array>
#include <cmath>

#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// What one output coordinate of an axis is made of.
struct Blend {
  std::vector<std::pair<std::int64_t, double>> parts;  // coordinates inside the map, weights
  bool outside = false;                                // takes the extrapolation value instead
};

struct Resampling {
  std::string mode, transformation, nearest;
  double cubic = -0.75, extrapolation = 0;
  bool exclude_outside = false;
};

/// Output coordinates of one axis become input coordinates.
struct AxisScale {
  std::int64_t input, output;
  double scale, length;  // of the result before it is rounded down
  double start, end;     // of the region, for tf_crop_and_resize

  double source(const std::string& transformation, double x) const {
    const auto size = static_cast<double>(input);
    if (transformation == "asymmetric") return x / scale;
    if (transformation == "align_corners") return length == 1 ? 0 : x * (size - 1) / (length - 1);
    if (transformation == "pytorch_half_pixel") return length > 1 ? (x + 0.5) / scale - 0.5 : 0;
    if (transformation == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
    if (transformation == "tf_crop_and_resize")
      return output > 1 ? start * (size - 1) + x * (end - start) * (size - 1) / (static_cast<double>(output) - 1)
                        : 0.5 * (start + end) * (size - 1);
    return (x + 0.5) / scale - 0.5;
  }
};

double round_coordinate(const std::string& mode, double x) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  return mode == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

/// Weights of four neighbours, the second of which lies `t` before the coordinate (Keys, 1981).
std::array<double, 4> cubic_weights(double t, double a) {
  const auto far = [&](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  const auto near = [&](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

Blend blend_at(const Resampling& options, const AxisScale& axis, std::int64_t out) {
  const double x = axis.source(options.transformation, static_cast<double>(out));
  const std::int64_t last = axis.input - 1;
  const auto inside = [&](double at) {
    return static_cast<std::int64_t>(std::clamp(at, 0.0, static_cast<double>(last)));
  };
  Blend blend;
  blend.outside = options.transformation == "tf_crop_and_resize" && (x < 0 || x > static_cast<double>(last));
  if (options.mode == "nearest") {
    blend.parts = {{inside(round_coordinate(options.nearest, x)), 1.0}};
    return blend;
  }
  const double base = std::floor(x), t = x - base;
  const bool cubic = options.mode == "cubic";
  const std::array<double, 4> weights = cubic ? cubic_weights(t, options.cubic) : std::array<double, 4>{0, 1 - t, t, 0};
  double sum = 0;
  for (int k = cubic ? 0 : 1; k < (cubic ? 4 : 3); ++k) {
    const double at = base + k - 1;
    const bool excluded = options.exclude_outside && (at < 0 || at > static_cast<double>(last));
    const double weight = excluded ? 0 : weights[static_cast<std::size_t>(k)];
    blend.parts.emplace_back(inside(at), weight);
    sum += weight;
  }
  if (options.exclude_outside && sum != 0)
    for (auto& part : blend.parts) part.second /= sum;
  return blend;
}

/// Blends along one axis; the other axes stay.
TypedTensor blend_axis(const TypedTensor& input, std::size_t axis, const std::vector<Blend>& blends, double outside) {
  const Lanes lanes(input.shape, axis);
  Shape shape = input.shape;
  shape[axis] = static_cast<std::int64_t>(blends.size());
  Reals values;
  for (std::int64_t o = 0; o < lanes.outer; ++o)
    for (const Blend& blend : blends)
      for (std::int64_t i = 0; i < lanes.inner; ++i) {
        double sum = 0;
        for (const auto& [at, weight] : blend.parts)
          sum += weight * input.reals()[static_cast<std::size_t>(lanes.position(o, i) + at * lanes.inner)];
        values.push_back(blend.outside ? outside : sum);
      }
  return {DataType::Float64, std::move(shape), std::move(values)};
}

/// Axis by axis: every mode is a product of functions of one axis. Linear and cubic results lie between int32 values
/// or are cut to the type.
TypedTensor resample(const Call& call, const Resampling& options, const std::vector<AxisScale>& axes) {
  const TypedTensor& input = call.input(0);
  TypedTensor result = model::convert(input, DataType::Float64);
  Shape shape = input.shape;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    shape[i] = axes[i].output;
    call.require(axes[i].input > 0 || axes[i].output == 0, "an empty axis is enlarged", input.shape);
  }
  call.count(shape);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].input == axes[i].output && axes[i].scale == 1.0 && options.transformation != "tf_crop_and_resize" &&
        options.transformation != "tf_half_pixel_for_nn")
      continue;
    std::vector<Blend> blends;
    for (std::int64_t out = 0; out < axes[i].output; ++out) blends.push_back(blend_at(options, axes[i], out));
    Shape partial = result.shape;
    partial[i] = axes[i].output;
    call.count(partial);
    result = blend_axis(result, i, blends, options.extrapolation);
  }
  return model::convert(result, input.type);
}

/// Sizes from scales, rounded down.
std::vector<AxisScale> axes_by_scale(const Call& call, const Reals& scales) {
  const Shape& shape = call.input(0).shape;
  call.require(scales.size() == shape.size(), "there is not one scale per axis", shape);
  std::vector<AxisScale> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const double length = static_cast<double>(shape[i]) * scales[i];
    call.require(scales[i] > 0 && length <= static_cast<double>(MostElements), "a scale does not fit");
    axes.push_back({shape[i], static_cast<std::int64_t>(std::floor(length)), scales[i], length, 0, 1});
  }
  return axes;
}

std::vector<AxisScale> axes_by_size(const Call& call, const Shape& sizes) {
  const Shape& shape = call.input(0).shape;
  call.require(sizes.size() == shape.size(), "there is not one size per axis", sizes);
  call.count(sizes);
  std::vector<AxisScale> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto length = static_cast<double>(sizes[i]);
    axes.push_back(
        {shape[i], sizes[i], length / static_cast<double>(std::max<std::int64_t>(shape[i], 1)), length, 0, 1});
  }
  return axes;
}

Results resize(const Call& call) {
  Resampling options;
  options.mode = call.text("mode", "nearest");
  if (call.opset() < 11) {
    options.transformation = "asymmetric";
    options.nearest = "floor";
    return {resample(call, options, axes_by_scale(call, call.input(1).reals()))};
  }
  options.transformation = call.text("coordinate_transformation_mode", "half_pixel");
  options.nearest = call.text("nearest_mode", "round_prefer_floor");
  options.cubic = call.real("cubic_coeff_a", -0.75);
  options.extrapolation = call.real("extrapolation_value", 0.0);
  options.exclude_outside = call.integer("exclude_outside", 0) != 0;
  const bool by_scale = call.has(2) && call.input(2).size() > 0;
  call.require(by_scale || call.has(3), "neither scales nor sizes are given");
  std::vector<AxisScale> axes =
      by_scale ? axes_by_scale(call, call.input(2).reals()) : axes_by_size(call, call.input(3).integers());
  if (options.transformation == "tf_crop_and_resize") {
    call.require(call.has(1) && call.input(1).size() == 2 * axes.size(), "the region does not fit");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      axes[i].start = call.input(1).reals()[i];
      axes[i].end = call.input(1).reals()[axes.size() + i];
    }
  }
  return {resample(call, options, axes)};
}

Results upsample(const Call& call) {
  Reals scales;
  if (call.has(1)) scales = call.input(1).reals();
  if (call.has_attribute("scales"))
    for (const float scale : std::get<std::vector<float>>(call.attribute("scales"))) scales.push_back(scale);
  Resampling options;
  options.mode = call.text("mode", "nearest");
  options.transformation = "asymmetric";
  options.nearest = "floor";
  return {resample(call, options, axes_by_scale(call, scales))};
}

/// Where GridSample looks when a coordinate lies outside.
struct Grid {
  std::string padding;
  bool corners;

  /// -1 .. 1 to pixels.
  double pixel(double x, double size) const { return corners ? (x + 1) / 2 * (size - 1) : ((x + 1) * size - 1) / 2; }

  double reflect(double x, double size) const {
    const double low = corners ? 0 : -0.5, span = corners ? size - 1 : size;
    if (span <= 0) return 0;
    const double rest = std::fmod(std::abs(x - low), 2 * span);
    return low + (rest > span ? 2 * span - rest : rest);
  }

  /// A coordinate inside, or a negative one where the value is zero.
  std::int64_t inside(double x, std::int64_t size) const {
    const auto length = static_cast<double>(size);
    if (padding == "zeros" && (x < 0 || x > length - 1)) return -1;
    if (padding == "reflection") x = reflect(x, length);
    return static_cast<std::int64_t>(std::clamp(x, 0.0, length - 1));
  }
};

/// Neighbours of a coordinate with their weights.
std::vector<std::pair<double, double>> neighbours(const std::string& mode, double x) {
  if (mode == "nearest") return {{std::nearbyint(x), 1.0}};
  const double base = std::floor(x), t = x - base;
  if (mode == "bilinear") return {{base, 1 - t}, {base + 1, t}};
  const std::array<double, 4> weights = cubic_weights(t, -0.75);
  return {{base - 1, weights[0]}, {base, weights[1]}, {base + 1, weights[2]}, {base + 2, weights[3]}};
}

Results grid_sample(const Call& call) {
  const TypedTensor &input = call.input(0), &grid = call.input(1);
  const Shape &map = input.shape, &points = grid.shape;
  call.require(
      map.size() == 4 && points.size() == 4 && points[0] == map[0] && points[3] == 2 && map[2] > 0 && map[3] > 0,
      "the grid does not fit the input", points);
  const Grid rule{call.text("padding_mode", "zeros"), call.integer("align_corners", 0) != 0};
  const std::string mode = call.text("mode", "bilinear");
  const Shape shape = {map[0], map[1], points[1], points[2]};
  call.count(shape);
  Reals values;
  for_each(shape, [&](const Shape& at, std::int64_t) {
    const std::int64_t point = ((at[0] * points[1] + at[2]) * points[2] + at[3]) * 2;
    double x = rule.pixel(grid.reals()[static_cast<std::size_t>(point)], static_cast<double>(map[3]));
    double y = rule.pixel(grid.reals()[static_cast<std::size_t>(point + 1)], static_cast<double>(map[2]));
    call.require(std::isfinite(x) && std::isfinite(y), "the grid is not finite");
    if (rule.padding == "border") {
      x = std::clamp(x, 0.0, static_cast<double>(map[3] - 1));
      y = std::clamp(y, 0.0, static_cast<double>(map[2] - 1));
    } else if (rule.padding == "reflection") {
      x = rule.reflect(x, static_cast<double>(map[3]));
      y = rule.reflect(y, static_cast<double>(map[2]));
    }
    double sum = 0;
    for (const auto& [row, row_weight] : neighbours(mode, y))
      for (const auto& [column, column_weight] : neighbours(mode, x)) {
        const std::int64_t r = rule.inside(row, map[2]), c = rule.inside(column, map[3]);
        if (r >= 0 && c >= 0)
          sum += row_weight * column_weight *
                 input.reals()[static_cast<std::size_t>(((at[0] * map[1] + at[1]) * map[2] + r) * map[3] + c)];
      }
    values.push_back(sum);
  });
  return {model::real_tensor(input.type, shape, std::move(values))};
}

}  // namespace

Kernels resampling_kernels() { return {{"GridSample", grid_sample}, {"Resize", resize}, {"Upsample", upsample}}; }

}  // namespace espalier::cpu::operators

// Pools over windows and whole maps.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"
#include "cpu/operators/spatial.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// One window: coordinates of its output and the positions in the map of the taps inside it.
struct Taps {
  const Shape& out;
  Integers positions;
};

/// Calls visit(channel, taps) for every output, all channels of the batch after one another, and checks the size.
template <typename Visit>
Shape for_each_window(const Call& call, const SpatialWindow& window, Visit&& visit) {
  const TypedTensor& input = call.input(0);
  Shape shape = {input.shape[0], input.shape[1]};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  const std::size_t channels = call.count({shape[0], shape[1]});
  call.count(shape);
  const Shape strides = strides_of(window.input);
  for (std::size_t channel = 0; channel < channels; ++channel)
    for_each(window.output, [&](const Shape& out, std::int64_t) {
      Shape first(window.axes()), size(window.axes());
      for (std::size_t axis = 0; axis < window.axes(); ++axis) {
        first[axis] = window.first_tap(axis, out[axis]);
        size[axis] = std::max<std::int64_t>(window.last_tap(axis, out[axis]) - first[axis], 0);
      }
      Taps taps{out, {}};
      for_each(size, [&](const Shape& tap, std::int64_t) {
        std::int64_t position = 0;
        for (std::size_t axis = 0; axis < window.axes(); ++axis)
          position += window.at(axis, out[axis], first[axis] + tap[axis]) * strides[axis];
        taps.positions.push_back(position);
      });
      visit(channel, taps);
    });
  return shape;
}

std::size_t map_size(const SpatialWindow& window) {
  return static_cast<std::size_t>(product(window.input, 0, window.axes()));
}

/// Padding counts if asked for, but not what a rounded-up last window has beyond it.
double divisor(const SpatialWindow& window, const Taps& taps, bool padding) {
  if (!padding) return static_cast<double>(std::max<std::size_t>(taps.positions.size(), 1));
  double count = 1;
  for (std::size_t axis = 0; axis < window.axes(); ++axis) {
    const std::int64_t start = taps.out[axis] * window.stride[axis] - window.before[axis];
    const std::int64_t end = std::min(start + window.kernel[axis], window.input[axis] + window.after[axis]);
    count *= static_cast<double>(std::max<std::int64_t>(end - start, 1));
  }
  return count;
}

Results average_pool(const Call& call) {
  const SpatialWindow window = read_spatial_window(call, spatial_sizes(call, call.input(0)), {});
  const bool padding = call.integer("count_include_pad", 0) != 0;
  Reals values;
  const Shape shape = for_each_window(call, window, [&](std::size_t channel, const Taps& taps) {
    const double* map = call.input(0).reals().data() + channel * map_size(window);
    double sum = 0;
    for (const std::int64_t position : taps.positions) sum += map[position];
    values.push_back(sum / divisor(window, taps, padding));
  });
  return {model::real_tensor(call.input(0).type, shape, std::move(values))};
}

Results lp_pool(const Call& call) {
  const SpatialWindow window = read_spatial_window(call, spatial_sizes(call, call.input(0)), {});
  const auto power = static_cast<double>(call.integer("p", 2));
  Reals values;
  const Shape shape = for_each_window(call, window, [&](std::size_t channel, const Taps& taps) {
    const double* map = call.input(0).reals().data() + channel * map_size(window);
    double sum = 0;
    for (const std::int64_t position : taps.positions) sum += std::pow(std::abs(map[position]), power);
    values.push_back(std::pow(sum, 1 / power));
  });
  return {model::real_tensor(call.input(0).type, shape, std::move(values))};
}

/// A position in row-major order as one in column-major order of the spatial axes.
std::int64_t column_major(std::int64_t position, const Shape& sizes) {
  std::int64_t result = 0, rest = position;
  const Shape strides = strides_of(sizes);
  std::int64_t step = 1;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    result += rest / strides[axis] * step;
    rest %= strides[axis];
    step *= sizes[axis];
  }
  return result;
}

Results max_pool(const Call& call) {
  const TypedTensor& input = call.input(0);
  const SpatialWindow window = read_spatial_window(call, spatial_sizes(call, input), {});
  const bool columns = call.integer("storage_order", 0) != 0;
  Integers sources, indices;
  const Shape shape = for_each_window(call, window, [&](std::size_t channel, const Taps& taps) {
    call.require(!taps.positions.empty(), "a window lies in the padding only");
    const auto base = static_cast<std::int64_t>(channel * map_size(window));
    const std::int64_t best = std::visit(
        [&](const auto& values) {
          return *std::max_element(taps.positions.begin(), taps.positions.end(), [&](std::int64_t a, std::int64_t b) {
            return values[static_cast<std::size_t>(base + a)] < values[static_cast<std::size_t>(base + b)];
          });
        },
        input.values);
    sources.push_back(base + best);
    indices.push_back(base + (columns ? column_major(best, window.input) : best));
  });
  return {pick(input, shape, sources), {DataType::Int64, shape, std::move(indices)}};
}

/// Values go back to where the indices of a MaxPool say; its indices count in the map that the attributes give.
Results max_unpool(const Call& call) {
  const TypedTensor &input = call.input(0), &indices = call.input(1);
  const Shape sizes = spatial_sizes(call, input);
  const std::size_t axes = sizes.size();
  call.require(indices.shape == input.shape, "there is not one index per value", indices.shape);
  const Shape kernel = spatial_attribute(call, "kernel_shape", axes, 1, 1);
  const Shape stride = spatial_attribute(call, "strides", axes, 1, 1);
  const Shape pads = spatial_attribute(call, "pads", 2 * axes, 0, 0);
  Shape inferred = {input.shape[0], input.shape[1]};
  for (std::size_t axis = 0; axis < axes; ++axis)
    inferred.push_back((sizes[axis] - 1) * stride[axis] + kernel[axis] - pads[axis] - pads[axes + axis]);
  const Shape shape = call.has(2) ? call.input(2).integers() : inferred;
  call.require(shape.size() == inferred.size() && shape[0] == inferred[0] && shape[1] == inferred[1],
               "the result does not fit the input", shape);
  TypedTensor result = zeros(input.type, shape, call.count(shape));
  // With a larger map than inferred the indices still count in the inferred one, row by row.
  call.count(inferred);
  const Shape strides = strides_of(inferred), steps = strides_of(shape);
  Reals& values = std::get<Reals>(result.values);
  for (std::size_t i = 0; i < input.size(); ++i) {
    std::int64_t rest = indices.integers()[i], target = 0;
    call.require(rest >= 0, "an index is negative");
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const std::int64_t at = rest / std::max<std::int64_t>(strides[axis], 1);
      call.require(at < shape[axis], "an index lies outside of the map", {indices.integers()[i]});
      target += at * steps[axis];
      rest %= std::max<std::int64_t>(strides[axis], 1);
    }
    values[static_cast<std::size_t>(target)] = input.reals()[i];
  }
  return {std::move(result)};
}

/// A whole map becomes one value.
template <typename Function>
Results pool_maps(const Call& call, Function&& function) {
  const TypedTensor& input = call.input(0);
  const Shape sizes = spatial_sizes(call, input);
  const auto size = static_cast<std::size_t>(product(sizes, 0, sizes.size()));
  Shape shape(input.shape.size(), 1);
  shape[0] = input.shape[0];
  shape[1] = input.shape[1];
  Reals values;
  for (std::size_t channel = 0; channel * size < input.size(); ++channel)
    values.push_back(function(std::span(input.reals()).subspan(channel * size, size)));
  return {model::real_tensor(input.type, std::move(shape), std::move(values))};
}

double mean(std::span<const double> map) {
  return std::accumulate(map.begin(), map.end(), 0.0) / static_cast<double>(map.size());
}

Results global_lp_pool(const Call& call) {
  const auto power = static_cast<double>(call.integer("p", 2));
  return pool_maps(call, [&](std::span<const double> map) {
    double sum = 0;
    for (const double value : map) sum += std::pow(std::abs(value), power);
    return std::pow(sum, 1 / power);
  });
}

}  // namespace

Kernels pooling_kernels() {
  return {{"AveragePool", average_pool},
          {"GlobalAveragePool", [](const Call& call) { return pool_maps(call, mean); }},
          {"GlobalLpPool", global_lp_pool},
          {"GlobalMaxPool",
           [](const Call& call) {
             return pool_maps(call,
                              [](std::span<const double> map) { return *std::max_element(map.begin(), map.end()); });
           }},
          {"LpPool", lp_pool},
          {"MaxPool", max_pool},
          {"MaxUnpool", max_unpool}};
}

}  // namespace espalier::cpu::operators

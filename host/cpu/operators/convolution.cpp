#include "cpu/operators/convolution.hpp"

#include <algorithm>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/matrix.hpp"
#include "cpu/operators/registry.hpp"
#include "cpu/operators/spatial.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// Output positions whose windows are gathered together are at most this many values, which bounds memory.
constexpr std::int64_t MostGathered = std::int64_t{1} << 20;

struct Groups {
  std::int64_t count, inputs, outputs;  // channels per group
};

/// The windows of `channels` maps as a matrix: rows are channel x tap, columns are positions.
template <typename Values>
Values gather_windows(const typename Values::value_type* maps, std::int64_t channels, std::int64_t map_size,
                      const Integers& positions, std::int64_t taps) {
  const std::int64_t columns = static_cast<std::int64_t>(positions.size()) / taps;
  Values matrix(static_cast<std::size_t>(channels * taps * columns), 0);
  for (std::int64_t channel = 0; channel < channels; ++channel)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t column = 0; column < columns; ++column) {
        const std::int64_t source = positions[static_cast<std::size_t>(column * taps + tap)];
        if (source >= 0)
          matrix[static_cast<std::size_t>((channel * taps + tap) * columns + column)] =
              maps[channel * map_size + source];
      }
  return matrix;
}

template <typename Values>
Values convolve_values(const Values& input, const Values& weights, const Values& bias, const SpatialWindow& window,
                       const Groups& groups, std::int64_t batch) {
  const std::int64_t map_size = product(window.input, 0, window.axes());
  const std::int64_t taps = product(window.kernel, 0, window.axes());
  const std::int64_t outputs = product(window.output, 0, window.axes());
  const std::int64_t inner = groups.inputs * taps;
  const std::int64_t block = std::max<std::int64_t>(1, MostGathered / std::max<std::int64_t>(inner, 1));
  Values result(static_cast<std::size_t>(batch * groups.count * groups.outputs * outputs), 0);
  for (std::int64_t first = 0; first < outputs; first += block) {
    const std::int64_t columns = std::min(block, outputs - first);
    const Integers positions = window_positions(window, first, first + columns);
    for (std::int64_t part = 0; part < batch * groups.count; ++part) {
      const Values windows = gather_windows<Values>(input.data() + part * groups.inputs * map_size, groups.inputs,
                                                    map_size, positions, taps);
      const std::int64_t group = part % groups.count;
      Values sums(static_cast<std::size_t>(groups.outputs * columns), 0);
      multiply_add(std::span(weights).subspan(static_cast<std::size_t>(group * groups.outputs * inner),
                                              static_cast<std::size_t>(groups.outputs * inner)),
                   windows, sums, groups.outputs, inner, columns);
      for (std::int64_t channel = 0; channel < groups.outputs; ++channel)
        for (std::int64_t column = 0; column < columns; ++column) {
          const auto sum = sums[static_cast<std::size_t>(channel * columns + column)];
          const auto with =
              bias.empty() ? sum : add(sum, bias[static_cast<std::size_t>(group * groups.outputs + channel)]);
          result[static_cast<std::size_t>((part * groups.outputs + channel) * outputs + first + column)] = with;
        }
    }
  }
  return result;
}

Results convolution(const Call& call) {
  return {convolve(call, call.input(0), call.input(1), call.has(2) ? &call.input(2) : nullptr, call.input(0).type)};
}

/// The window of the convolution whose transposition this is: its input is the output here.
SpatialWindow transposed_window(const Call& call, const Shape& input, const Shape& kernel) {
  const std::size_t axes = input.size();
  SpatialWindow window;
  window.output = input;
  window.kernel = kernel;
  if (call.has_attribute("kernel_shape"))
    call.require(call.integers("kernel_shape", {}) == kernel, "kernel_shape is not that of the weights", kernel);
  window.stride = spatial_attribute(call, "strides", axes, 1, 1);
  window.dilation = spatial_attribute(call, "dilations", axes, 1, 1);
  const Shape pads = spatial_attribute(call, "pads", 2 * axes, 0, 0);
  const Shape extra = spatial_attribute(call, "output_padding", axes, 0, 0);
  const std::string mode = call.text("auto_pad", "NOTSET");
  Shape wanted;
  if (call.has_attribute("output_shape")) {
    wanted = call.integers("output_shape", {});
    if (wanted.size() == axes + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
    call.require(wanted.size() == axes, "output_shape does not fit", wanted);
  }
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t extent = (kernel[axis] - 1) * window.dilation[axis] + 1;
    const std::int64_t full = (input[axis] - 1) * window.stride[axis] + extent + extra[axis];
    std::int64_t before = pads[axis], after = pads[axes + axis];
    const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    if (mode == "VALID") before = after = 0;
    if (same || !wanted.empty()) {
      const std::int64_t size = wanted.empty() ? input[axis] * window.stride[axis] : wanted[axis];
      call.require(size > 0 && size <= MostElements, "output_shape does not fit", wanted);
      const std::int64_t total = full - size;
      // The definition gives the odd element to the end for SAME_UPPER only.
      // A result larger than the kernels reach grows at its end.
      before = total < 0 ? 0 : mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      after = total - before;
    }
    window.before.push_back(before);
    window.after.push_back(after);
    window.input.push_back(full - before - after);
    call.require(window.input.back() > 0, "the padding is larger than the result", window.input);
  }
  return window;
}

/// Adds the product of every input value with its kernel to the result.
void scatter_windows(const Reals& products, const Integers& positions, std::int64_t taps, std::int64_t channels,
                     std::int64_t map_size, double* maps) {
  const std::int64_t columns = static_cast<std::int64_t>(positions.size()) / taps;
  for (std::int64_t channel = 0; channel < channels; ++channel)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t column = 0; column < columns; ++column) {
        const std::int64_t target = positions[static_cast<std::size_t>(column * taps + tap)];
        if (target >= 0)
          maps[channel * map_size + target] +=
              products[static_cast<std::size_t>((channel * taps + tap) * columns + column)];
      }
}

Results transposed_convolution(const Call& call) {
  const TypedTensor &input = call.input(0), &weights = call.input(1);
  const Shape sizes = spatial_sizes(call, input);
  const std::int64_t group = call.integer("group", 1);
  const std::int64_t batch = input.shape[0], channels = input.shape[1];
  call.require(
      weights.shape.size() == input.shape.size() && weights.shape[0] == channels && group > 0 && channels % group == 0,
      "the weights do not fit the input", weights.shape);
  const Shape kernel = spatial_sizes(call, weights);
  const SpatialWindow window = transposed_window(call, sizes, kernel);
  const Groups groups{group, channels / group, weights.shape[1]};
  Shape shape = {batch, groups.count * groups.outputs};
  shape.insert(shape.end(), window.input.begin(), window.input.end());
  Reals result(call.count(shape), 0.0);
  const std::int64_t taps = product(kernel, 0, kernel.size()), map_size = product(window.input, 0, window.axes());
  const std::int64_t inputs = product(sizes, 0, sizes.size()), rows = groups.outputs * taps;
  call.count({rows, inputs});
  const Integers positions = window_positions(window, 0, inputs);
  for (std::int64_t part = 0; part < batch * groups.count && groups.inputs > 0; ++part) {
    const std::int64_t at = part % groups.count;
    const auto start = weights.reals().begin() + at * groups.inputs * rows;
    const TypedTensor kernels =
        transposed({DataType::Float64, {groups.inputs, rows}, Reals(start, start + groups.inputs * rows)}, {1, 0});
    Reals products(static_cast<std::size_t>(rows * inputs), 0.0);
    multiply_add(kernels.reals(),
                 std::span(input.reals())
                     .subspan(static_cast<std::size_t>(part * groups.inputs * inputs),
                              static_cast<std::size_t>(groups.inputs * inputs)),
                 products, rows, groups.inputs, inputs);
    scatter_windows(products, positions, taps, groups.outputs, map_size,
                    result.data() + part * groups.outputs * map_size);
  }
  if (call.has(2)) {
    call.require(call.input(2).shape == Shape{shape[1]}, "there is not one bias per channel", call.input(2).shape);
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] += call.input(2).reals()[i / static_cast<std::size_t>(map_size) % static_cast<std::size_t>(shape[1])];
  }
  return {model::real_tensor(input.type, std::move(shape), std::move(result))};
}

}  // namespace

TypedTensor convolve(const Call& call, const TypedTensor& input, const TypedTensor& weights, const TypedTensor* bias,
                     DataType type) {
  const Shape sizes = spatial_sizes(call, input);
  const std::int64_t group = call.integer("group", 1);
  const bool fits = weights.shape.size() == input.shape.size() && group > 0 && weights.shape[0] % group == 0 &&
                    input.shape[1] % group == 0 && weights.shape[1] == input.shape[1] / group;
  call.require(fits, "the weights do not fit the input", weights.shape);
  const std::int64_t channels = weights.shape[0];
  const SpatialWindow window = read_spatial_window(call, sizes, spatial_sizes(call, weights));
  const Groups groups{group, weights.shape[1], channels / group};
  call.require(bias == nullptr || bias->shape == Shape{channels}, "there is not one bias per channel",
               bias == nullptr ? Shape{} : bias->shape);
  Shape shape = {input.shape[0], channels};
  shape.insert(shape.end(), window.output.begin(), window.output.end());
  call.count(shape);
  const auto run = [&](const auto& values) {
    using Values = std::decay_t<decltype(values)>;
    return convolve_values(values, std::get<Values>(weights.values),
                           bias == nullptr ? Values{} : std::get<Values>(bias->values), window, groups, input.shape[0]);
  };
  if (model::is_real(input.type)) return model::real_tensor(type, std::move(shape), run(input.reals()));
  return model::integer_tensor(type, std::move(shape), run(input.integers()));
}

Kernels convolution_kernels() { return {{"Conv", convolution}, {"ConvTranspose", transposed_convolution}}; }

}  // namespace espalier::cpu::operators

// Operators that read or change shapes, and constants.
#include <algorithm>
#include <cmath>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// Zero copies the size of the input unless allowzero; one -1 takes what is left.
Results reshape(const Call& call) {
  const TypedTensor& input = call.input(0);
  Shape shape = call.input(1).integers();
  const bool zero = call.integer("allowzero", 0) != 0;
  std::ptrdiff_t free = -1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0 && !zero) {
      call.require(axis < input.shape.size(), "a copied size does not exist", shape);
      shape[axis] = input.shape[axis];
    }
    if (shape[axis] != -1) continue;
    call.require(free < 0, "two sizes are left open", shape);
    free = static_cast<std::ptrdiff_t>(axis);
  }
  if (free >= 0) {
    shape[static_cast<std::size_t>(free)] = 1;
    const std::size_t others = call.count(shape);
    call.require(others > 0 && input.size() % others == 0, "the open size is not whole", shape);
    shape[static_cast<std::size_t>(free)] = static_cast<std::int64_t>(input.size() / others);
  }
  call.require(call.count(shape) == input.size(), "the shape has another number of elements", shape);
  return {reshaped(input, std::move(shape))};
}

Results flatten(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::int64_t axis = call.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(input.shape.size());
  const std::size_t at = axis == rank ? input.shape.size() : call.axis(axis, input.shape.size());
  return {reshaped(input, {product(input.shape, 0, at), product(input.shape, at, input.shape.size())})};
}

Results squeeze(const Call& call) {
  const TypedTensor& input = call.input(0);
  const bool given = call.has(1) || call.has_attribute("axes");
  const std::vector<std::size_t> axes = call.axes(call.parameter(1, "axes", {}), input.shape.size());
  Shape shape;
  for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
    const bool named = std::binary_search(axes.begin(), axes.end(), axis);
    call.require(!named || input.shape[axis] == 1, "a size other than 1 is squeezed", input.shape);
    if (given ? !named : input.shape[axis] != 1) shape.push_back(input.shape[axis]);
  }
  return {reshaped(input, std::move(shape))};
}

Results unsqueeze(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Integers given = call.parameter(1, "axes", {});
  const std::size_t rank = input.shape.size() + given.size();
  const std::vector<std::size_t> axes = call.axes(given, rank);
  Shape shape;
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < rank; ++axis)
    shape.push_back(std::binary_search(axes.begin(), axes.end(), axis) ? 1 : input.shape[next++]);
  call.count(shape);
  return {reshaped(input, std::move(shape))};
}

Results transpose(const Call& call) {
  const TypedTensor& input = call.input(0);
  Integers order;
  for (std::size_t axis = input.shape.size(); axis-- > 0;) order.push_back(static_cast<std::int64_t>(axis));
  order = call.integers("perm", order);
  call.require(order.size() == input.shape.size() && call.axes(order, order.size()).size() == order.size(),
               "perm is no permutation of the axes", order);
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : order) axes.push_back(call.axis(axis, order.size()));
  return {transposed(input, axes)};
}

Results shape_of(const Call& call) {
  const Shape& shape = call.input(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto bound = [&](const char* key, std::int64_t otherwise) {
    const std::int64_t value = call.integer(key, otherwise);
    return std::clamp<std::int64_t>(value < 0 ? std::max(value, -rank) + rank : value, 0, rank);
  };
  const std::int64_t start = bound("start", 0), end = std::max(bound("end", rank), start);
  Integers sizes(shape.begin() + start, shape.begin() + end);
  return {{DataType::Int64, {end - start}, std::move(sizes)}};
}

Results size_of(const Call& call) {
  return {{DataType::Int64, {}, Integers{static_cast<std::int64_t>(call.input(0).size())}}};
}

Results constant(const Call& call) {
  if (call.has_attribute("value")) return {std::get<TypedTensor>(call.attribute("value"))};
  if (call.has_attribute("value_float"))
    return {model::real_tensor(DataType::Float32, {}, {call.real("value_float", 0)})};
  if (call.has_attribute("value_int")) return {{DataType::Int64, {}, Integers{call.integer("value_int", 0)}}};
  if (call.has_attribute("value_floats")) {
    const auto& values = std::get<std::vector<float>>(call.attribute("value_floats"));
    return {{DataType::Float32, {static_cast<std::int64_t>(values.size())}, Reals(values.begin(), values.end())}};
  }
  call.require(call.has_attribute("value_ints"), "the constant has no value");
  Integers values = call.integers("value_ints", {});
  const Shape shape = {static_cast<std::int64_t>(values.size())};
  return {{DataType::Int64, shape, std::move(values)}};
}

Results constant_of_shape(const Call& call) {
  const Shape shape = call.input(0).integers();
  const TypedTensor value = call.has_attribute("value") ? std::get<TypedTensor>(call.attribute("value"))
                                                        : TypedTensor{DataType::Float32, {1}, Reals{0.0}};
  call.require(value.size() == 1, "the value is not a single one", value.shape);
  return {pick(value, shape, Integers(call.count(shape), 0))};
}

Results expand(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Shape shape = broadcast(call, {input.shape, call.input(1).integers()});
  return {pick(input, shape, broadcast_positions(input.shape, shape))};
}

/// Ones on the k-th diagonal.
Results eye_like(const Call& call) {
  const Shape& shape = call.input(0).shape;
  call.require(shape.size() == 2, "a matrix is expected", shape);
  const std::int64_t diagonal = call.integer("k", 0);
  Integers values;
  for_each(shape, [&](const Shape& at, std::int64_t) { values.push_back(at[1] - at[0] == diagonal ? 1 : 0); });
  return {model::convert({DataType::Int64, shape, std::move(values)}, call.output_type(0))};
}

/// start, start + delta ... before limit.
Results range(const Call& call) {
  const DataType type = call.input(0).type;
  const double start = call.scalar(0, 0), limit = call.scalar(1, 0), delta = call.scalar(2, 0);
  const double steps = std::ceil((limit - start) / delta);
  call.require(delta != 0 && std::isfinite(steps) && steps <= static_cast<double>(MostElements),
               "the range is not finite");
  const auto count = static_cast<std::int64_t>(std::max(steps, 0.0));
  TypedTensor result = zeros(type, {count}, static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (model::is_real(type))
      std::get<Reals>(result.values)[at] = model::round_to(type, start + static_cast<double>(i) * delta);
    else
      std::get<Integers>(result.values)[at] = add(call.integer_scalar(0, 0), multiply(i, call.integer_scalar(2, 0)));
  }
  return {std::move(result)};
}

/// A block of channels becomes a block of pixels.
Results depth_to_space(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::int64_t block = call.integer("blocksize", 0);
  call.require(input.shape.size() == 4 && block > 0 && block < (1 << 15) && input.shape[1] % (block * block) == 0,
               "the channels are no whole blocks", input.shape);
  const std::int64_t depth = input.shape[1] / (block * block), n = input.shape[0], h = input.shape[2],
                     w = input.shape[3];
  const bool depth_first = call.text("mode", "DCR") == "CRD";
  const TypedTensor split = depth_first
                                ? transposed(reshaped(input, {n, depth, block, block, h, w}), {0, 1, 4, 2, 5, 3})
                                : transposed(reshaped(input, {n, block, block, depth, h, w}), {0, 3, 4, 1, 5, 2});
  return {reshaped(split, {n, depth, h * block, w * block})};
}

Results space_to_depth(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::int64_t block = call.integer("blocksize", 0);
  call.require(input.shape.size() == 4 && block > 0 && block < (1 << 15) && input.shape[2] % block == 0 &&
                   input.shape[3] % block == 0,
               "the map is no whole number of blocks", input.shape);
  const std::int64_t n = input.shape[0], c = input.shape[1], h = input.shape[2] / block, w = input.shape[3] / block;
  const TypedTensor split = transposed(reshaped(input, {n, c, h, block, w, block}), {0, 3, 5, 1, 2, 4});
  return {reshaped(split, {n, c * block * block, h, w})};
}

}  // namespace

Kernels shape_kernels() {
  return {{"Constant", constant},
          {"ConstantOfShape", constant_of_shape},
          {"DepthToSpace", depth_to_space},
          {"Expand", expand},
          {"EyeLike", eye_like},
          {"Flatten", flatten},
          {"Identity", [](const Call& call) { return Results{call.input(0)}; }},
          {"Range", range},
          {"Reshape", reshape},
          {"Shape", shape_of},
          {"Size", size_of},
          {"SpaceToDepth", space_to_depth},
          {"Squeeze", squeeze},
          {"Transpose", transpose},
          {"Unsqueeze", unsqueeze}};
}

}  // namespace espalier::cpu::operators

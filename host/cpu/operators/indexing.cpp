#include "cpu/operators/indexing.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace espalier::cpu::operators {

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t axis = first; axis < last; ++axis) result *= shape[axis];
  return result;
}

Shape broadcast(const Call& call, const std::vector<Shape>& shapes) {
  Shape result;
  for (const Shape& shape : shapes) {
    if (shape.size() > result.size()) result.insert(result.begin(), shape.size() - result.size(), 1);
    const std::size_t skipped = result.size() - shape.size();
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      std::int64_t& size = result[skipped + axis];
      if (size == 1) size = shape[axis];
      call.require(shape[axis] == 1 || shape[axis] == size, "shapes do not broadcast", shape);
    }
  }
  call.count(result);
  return result;
}

Integers broadcast_positions(const Shape& from, const Shape& to) {
  Shape strides(to.size(), 0);
  const Shape dense = strides_of(from);
  const std::size_t skipped = to.size() - from.size();
  for (std::size_t axis = 0; axis < from.size(); ++axis)
    if (from[axis] != 1) strides[skipped + axis] = dense[axis];
  Integers positions;
  for_each(to, [&](const Shape& at, std::int64_t) { positions.push_back(position_of(at, strides)); });
  return positions;
}

TypedTensor pick(const TypedTensor& source, Shape shape, const Integers& positions) {
  return pick(source, std::move(shape), positions, zeros(source.type, {}, 1));
}

TypedTensor pick(const TypedTensor& source, Shape shape, const Integers& positions, const TypedTensor& fill) {
  return std::visit(
      [&](const auto& values) {
        using Values = std::decay_t<decltype(values)>;
        const auto& otherwise = std::get<Values>(fill.values);
        Values result;
        result.reserve(positions.size());
        for (const std::int64_t position : positions)
          result.push_back(position < 0 ? otherwise[0] : values[static_cast<std::size_t>(position)]);
        return TypedTensor{source.type, std::move(shape), std::move(result)};
      },
      source.values);
}

TypedTensor reshaped(TypedTensor tensor, Shape shape) {
  tensor.shape = std::move(shape);
  return tensor;
}

TypedTensor transposed(const TypedTensor& source, const std::vector<std::size_t>& order) {
  const Shape dense = strides_of(source.shape);
  Shape shape, strides;
  for (const std::size_t axis : order) {
    shape.push_back(source.shape[axis]);
    strides.push_back(dense[axis]);
  }
  Integers positions;
  positions.reserve(source.size());
  for_each(shape, [&](const Shape& at, std::int64_t) { positions.push_back(position_of(at, strides)); });
  return pick(source, std::move(shape), positions);
}

Lanes::Lanes(const Shape& shape, std::size_t axis, std::size_t last)
    : outer(product(shape, 0, axis)), length(product(shape, axis, last)), inner(product(shape, last, shape.size())) {}

TypedTensor zeros(DataType type, Shape shape, std::size_t count) {
  if (model::is_real(type)) return {type, std::move(shape), Reals(count, 0.0)};
  return {type, std::move(shape), Integers(count, 0)};
}

}  // namespace espalier::cpu::operators

// Positions of elements: every operator that moves values is a list of source positions.
#pragma once

#include "cpu/operators/call.hpp"

namespace espalier::cpu::operators {

/// Steps between neighbours along each axis of a dense tensor.
Shape strides_of(const Shape& shape);
/// The product of sizes [first, last).
std::int64_t product(const Shape& shape, std::size_t first, std::size_t last);

/// Calls visit(coordinates, position) for every element in row-major order.
template <typename Visit>
void for_each(const Shape& shape, Visit&& visit) {
  Shape at(shape.size(), 0);
  for (const std::int64_t size : shape)
    if (size == 0) return;
  for (std::int64_t position = 0;; ++position) {
    visit(static_cast<const Shape&>(at), position);
    std::size_t axis = shape.size();
    while (axis > 0 && ++at[axis - 1] == shape[axis - 1]) at[--axis] = 0;
    if (axis == 0) return;
  }
}

/// Position of coordinates.
inline std::int64_t position_of(const Shape& at, const Shape& strides) {
  std::int64_t position = 0;
  for (std::size_t axis = 0; axis < at.size(); ++axis) position += at[axis] * strides[axis];
  return position;
}

/// The shape that all shapes broadcast to, as NumPy does. Throws Error(Model).
Shape broadcast(const Call& call, const std::vector<Shape>& shapes);
/// For every element of `to` the element of `from`, which broadcasts to it.
Integers broadcast_positions(const Shape& from, const Shape& to);

/// A tensor of `shape` whose element i is source[positions[i]]; position -1 takes `fill`, a single value.
TypedTensor pick(const TypedTensor& source, Shape shape, const Integers& positions);
TypedTensor pick(const TypedTensor& source, Shape shape, const Integers& positions, const TypedTensor& fill);

/// The same values in another shape of as many elements.
TypedTensor reshaped(TypedTensor tensor, Shape shape);
/// Axis i of the result is axis order[i] of the source.
TypedTensor transposed(const TypedTensor& source, const std::vector<std::size_t>& order);

/// A tensor seen as outer x length x inner, where length is one axis or the range [axis, last).
struct Lanes {
  std::int64_t outer = 1, length = 1, inner = 1;
  Lanes(const Shape& shape, std::size_t axis, std::size_t last);
  Lanes(const Shape& shape, std::size_t axis) : Lanes(shape, axis, axis + 1) {}
  std::int64_t position(std::int64_t o, std::int64_t i) const { return o * length * inner + i; }
};

/// A tensor of zeros.
TypedTensor zeros(DataType type, Shape shape, std::size_t count);

}  // namespace espalier::cpu::operators

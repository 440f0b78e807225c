// Picking elements by index, by condition or by position.
#include <algorithm>

#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// Negative indices count from the end.
std::int64_t resolve(const Call& call, std::int64_t index, std::int64_t size) {
  call.require(index >= -size && index < size, "an index lies outside of the axis", {index});
  return index < 0 ? index + size : index;
}

Results gather(const Call& call) {
  const TypedTensor &input = call.input(0), &indices = call.input(1);
  const std::size_t axis = call.axis(call.integer("axis", 0), input.shape.size());
  const Lanes lanes(input.shape, axis);
  Shape shape(input.shape.begin(), input.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), input.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, input.shape.end());
  call.count(shape);
  Integers positions;
  for (std::int64_t o = 0; o < lanes.outer; ++o)
    for (const std::int64_t index : indices.integers()) {
      const std::int64_t start = lanes.position(o, resolve(call, index, lanes.length) * lanes.inner);
      for (std::int64_t i = 0; i < lanes.inner; ++i) positions.push_back(start + i);
    }
  return {pick(input, std::move(shape), positions)};
}

Results gather_elements(const Call& call) {
  const TypedTensor &input = call.input(0), &indices = call.input(1);
  const std::size_t axis = call.axis(call.integer("axis", 0), input.shape.size());
  call.require(indices.shape.size() == input.shape.size(), "ranks differ", indices.shape);
  for (std::size_t other = 0; other < input.shape.size(); ++other)
    call.require(other == axis || indices.shape[other] <= input.shape[other], "the indices are larger than the input",
                 indices.shape);
  const Shape strides = strides_of(input.shape);
  Integers positions;
  for_each(indices.shape, [&](const Shape& at, std::int64_t position) {
    const std::int64_t index = resolve(call, indices.integers()[static_cast<std::size_t>(position)], input.shape[axis]);
    positions.push_back(position_of(at, strides) + (index - at[axis]) * strides[axis]);
  });
  return {pick(input, indices.shape, positions)};
}

/// The last axis of the indices names a place behind the batch axes.
Results gather_places(const Call& call) {
  const TypedTensor &input = call.input(0), &indices = call.input(1);
  const std::int64_t given = call.integer("batch_dims", 0);
  call.require(given >= 0 && given < static_cast<std::int64_t>(std::min(input.shape.size(), indices.shape.size())),
               "batch_dims does not fit", {given});
  const auto batch = static_cast<std::size_t>(given);
  const auto depth = static_cast<std::size_t>(indices.shape.back());
  call.require(indices.shape.back() >= 1 && depth <= input.shape.size() - batch, "the indices name too many axes",
               indices.shape);
  for (std::size_t axis = 0; axis < batch; ++axis)
    call.require(indices.shape[axis] == input.shape[axis], "batch sizes differ", indices.shape);
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  const std::int64_t places = product(shape, 0, shape.size()), batches = product(shape, 0, batch);
  shape.insert(shape.end(), input.shape.begin() + static_cast<std::ptrdiff_t>(batch + depth), input.shape.end());
  call.count(shape);
  const Shape strides = strides_of(input.shape);
  const std::int64_t size = product(input.shape, batch + depth, input.shape.size());
  const std::int64_t batch_size = product(input.shape, batch, input.shape.size());
  Integers positions;
  for (std::int64_t place = 0; place < places; ++place) {
    std::int64_t start = place / (places / batches) * batch_size;
    for (std::size_t k = 0; k < depth; ++k)
      start += resolve(call, indices.integers()[static_cast<std::size_t>(place) * depth + k], input.shape[batch + k]) *
               strides[batch + k];
    for (std::int64_t i = 0; i < size; ++i) positions.push_back(start + i);
  }
  return {pick(input, std::move(shape), positions)};
}

/// Without an axis the input is flat.
Results compress(const Call& call) {
  const TypedTensor& input = call.input(0);
  const TypedTensor flat =
      call.has_attribute("axis") ? input : reshaped(input, {static_cast<std::int64_t>(input.size())});
  const std::size_t axis = call.axis(call.integer("axis", 0), flat.shape.size());
  const Lanes lanes(flat.shape, axis);
  const Integers& condition = call.input(1).integers();
  Integers kept;
  for (std::size_t i = 0; i < condition.size(); ++i)
    if (condition[i] != 0) kept.push_back(resolve(call, static_cast<std::int64_t>(i), lanes.length));
  Shape shape = flat.shape;
  shape[axis] = static_cast<std::int64_t>(kept.size());
  Integers positions;
  for (std::int64_t o = 0; o < lanes.outer; ++o)
    for (const std::int64_t index : kept)
      for (std::int64_t i = 0; i < lanes.inner; ++i) positions.push_back(lanes.position(o, index * lanes.inner) + i);
  return {pick(flat, std::move(shape), positions)};
}

/// Coordinates of all elements that are not zero, one axis per row.
Results non_zero(const Call& call) {
  const TypedTensor& input = call.input(0);
  const TypedTensor truth = model::convert(input, DataType::Bool);
  std::vector<Integers> rows(input.shape.size());
  for_each(input.shape, [&](const Shape& at, std::int64_t position) {
    if (truth.integers()[static_cast<std::size_t>(position)] == 0) return;
    for (std::size_t axis = 0; axis < at.size(); ++axis) rows[axis].push_back(at[axis]);
  });
  Integers values;
  for (const Integers& row : rows) values.insert(values.end(), row.begin(), row.end());
  const auto rank = static_cast<std::int64_t>(rows.size());
  const std::int64_t count = rows.empty() ? 0 : static_cast<std::int64_t>(rows[0].size());
  return {{DataType::Int64, {rank, count}, std::move(values)}};
}

/// values[0] everywhere but values[1] where the index is; indices outside of the axis give a row of values[0].
Results one_hot(const Call& call) {
  const TypedTensor indices = model::convert(call.input(0), DataType::Int64);
  const TypedTensor& values = call.input(2);
  const std::int64_t depth = call.integer_scalar(1, 0);
  call.require(values.shape == Shape{2}, "two values are expected", values.shape);
  call.require(depth > 0 && depth <= MostElements, "the depth does not fit", {depth});
  Shape shape = indices.shape;
  const std::size_t axis = call.axis(call.integer("axis", -1), shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  call.count(shape);
  const Lanes lanes(shape, axis);
  Integers positions;
  for_each(shape, [&](const Shape& at, std::int64_t position) {
    const std::int64_t outer = position / (lanes.length * lanes.inner);
    std::int64_t index = indices.integers()[static_cast<std::size_t>(outer * lanes.inner + position % lanes.inner)];
    if (index >= -depth && index < 0) index += depth;
    positions.push_back(index == at[axis] ? 1 : 0);
  });
  return {pick(values, shape, positions)};
}

/// The first sequence_lens[b] steps of every batch entry in reverse order.
Results reverse_sequence(const Call& call) {
  const TypedTensor &input = call.input(0), &lengths = call.input(1);
  call.require(input.shape.size() >= 2, "two axes are expected", input.shape);
  const std::size_t time = call.axis(call.integer("time_axis", 0), 2),
                    batch = call.axis(call.integer("batch_axis", 1), 2);
  call.require(time != batch && lengths.shape == Shape{input.shape[batch]}, "the lengths do not fit", lengths.shape);
  for (const std::int64_t length : lengths.integers())
    call.require(length >= 0 && length <= input.shape[time], "a length lies outside of the axis", {length});
  const Shape strides = strides_of(input.shape);
  Integers positions;
  for_each(input.shape, [&](const Shape& at, std::int64_t position) {
    const std::int64_t length = lengths.integers()[static_cast<std::size_t>(at[batch])];
    const std::int64_t source = at[time] < length ? length - 1 - at[time] : at[time];
    positions.push_back(position + (source - at[time]) * strides[time]);
  });
  return {pick(input, input.shape, positions)};
}

/// The upper or lower triangle of every matrix; zero elsewhere.
Results triangle(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t rank = input.shape.size();
  call.require(rank >= 2, "matrices are expected", input.shape);
  const std::int64_t diagonal = std::clamp<std::int64_t>(call.integer_scalar(1, 0), -MostElements, MostElements);
  const bool upper = call.integer("upper", 1) != 0;
  Integers positions;
  for_each(input.shape, [&](const Shape& at, std::int64_t position) {
    const std::int64_t distance = at[rank - 1] - at[rank - 2] - diagonal;
    positions.push_back((upper ? distance >= 0 : distance <= 0) ? position : -1);
  });
  return {pick(input, input.shape, positions)};
}

}  // namespace

Kernels index_kernels() {
  return {
      {"Compress", compress}, {"Gather", gather},  {"GatherElements", gather_elements},   {"GatherND", gather_places},
      {"NonZero", non_zero},  {"OneHot", one_hot}, {"ReverseSequence", reverse_sequence}, {"Trilu", triangle}};
}

}  // namespace espalier::cpu::operators

// Writing elements by index.
#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

std::int64_t resolve(const Call& call, std::int64_t index, std::int64_t size) {
  call.require(index >= -size && index < size, "an index lies outside of the axis", {index});
  return index < 0 ? index + size : index;
}

/// updates[i] goes to targets[i], in order.
TypedTensor write(const Call& call, const TypedTensor& input, const TypedTensor& updates, const Integers& targets) {
  const std::string reduction = call.text("reduction", "none");
  const auto run = [&](auto values, const auto& sources) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      auto& target = values[static_cast<std::size_t>(targets[i])];
      if (reduction == "add")
        target = add(target, sources[i]);
      else if (reduction == "mul")
        target = multiply(target, sources[i]);
      else
        target = sources[i];
    }
    return values;
  };
  if (model::is_real(input.type))
    return model::real_tensor(input.type, input.shape, run(input.reals(), updates.reals()));
  return model::integer_tensor(input.type, input.shape, run(input.integers(), updates.integers()));
}

Results scatter_elements(const Call& call) {
  const TypedTensor &input = call.input(0), &indices = call.input(1), &updates = call.input(2);
  const std::size_t axis = call.axis(call.integer("axis", 0), input.shape.size());
  call.require(indices.shape.size() == input.shape.size() && indices.shape == updates.shape,
               "indices and updates do not fit the input", indices.shape);
  for (std::size_t other = 0; other < input.shape.size(); ++other)
    call.require(other == axis || indices.shape[other] <= input.shape[other], "the indices are larger than the input",
                 indices.shape);
  const Shape strides = strides_of(input.shape);
  Integers targets;
  for_each(indices.shape, [&](const Shape& at, std::int64_t position) {
    const std::int64_t index = resolve(call, indices.integers()[static_cast<std::size_t>(position)], input.shape[axis]);
    targets.push_back(position_of(at, strides) + (index - at[axis]) * strides[axis]);
  });
  return {write(call, input, updates, targets)};
}

/// The last axis of the indices names the first axes of the input; the rest of its axes is written whole.
Results scatter_places(const Call& call) {
  const TypedTensor &input = call.input(0), &indices = call.input(1), &updates = call.input(2);
  call.require(!indices.shape.empty() && indices.shape.back() >= 1 &&
                   indices.shape.back() <= static_cast<std::int64_t>(input.shape.size()),
               "the indices name too many axes", indices.shape);
  const auto depth = static_cast<std::size_t>(indices.shape.back());
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  const std::int64_t places = product(shape, 0, shape.size());
  shape.insert(shape.end(), input.shape.begin() + static_cast<std::ptrdiff_t>(depth), input.shape.end());
  call.require(updates.shape == shape, "the updates do not fit", updates.shape);
  const Shape strides = strides_of(input.shape);
  const std::int64_t size = product(input.shape, depth, input.shape.size());
  Integers targets;
  for (std::int64_t place = 0; place < places; ++place) {
    std::int64_t start = 0;
    for (std::size_t k = 0; k < depth; ++k)
      start +=
          resolve(call, indices.integers()[static_cast<std::size_t>(place) * depth + k], input.shape[k]) * strides[k];
    for (std::int64_t i = 0; i < size; ++i) targets.push_back(start + i);
  }
  return {write(call, input, updates, targets)};
}

}  // namespace

Kernels scatter_kernels() {
  return {{"Scatter", scatter_elements}, {"ScatterElements", scatter_elements}, {"ScatterND", scatter_places}};
}

}  // namespace espalier::cpu::operators

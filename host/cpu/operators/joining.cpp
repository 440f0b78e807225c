// Joining, cutting, padding and repeating.
#include <algorithm>
#include <limits>

#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

Results concat(const Call& call) {
  const Shape& first = call.input(0).shape;
  const std::size_t axis = call.axis(call.integer("axis", 1), first.size());
  Shape shape = first;
  shape[axis] = 0;
  for (std::size_t i = 0; i < call.inputs(); ++i) {
    Shape other = call.input(i).shape;
    call.require(other.size() == first.size(), "ranks differ", other);
    shape[axis] += other[axis];
    other[axis] = first[axis];
    call.require(other == first, "sizes of other axes differ", call.input(i).shape);
  }
  call.count(shape);
  const std::int64_t outer = product(shape, 0, axis);
  return {std::visit(
      [&](const auto& kind) {
        using Values = std::decay_t<decltype(kind)>;
        Values values;
        for (std::int64_t o = 0; o < outer; ++o)
          for (std::size_t i = 0; i < call.inputs(); ++i) {
            const auto& source = std::get<Values>(call.input(i).values);
            const auto size = static_cast<std::ptrdiff_t>(source.size()) / outer;
            values.insert(values.end(), source.begin() + o * size, source.begin() + (o + 1) * size);
          }
        return TypedTensor{call.input(0).type, shape, std::move(values)};
      },
      call.input(0).values)};
}

/// The part [start, start + size) of an axis.
TypedTensor cut(const TypedTensor& input, std::size_t axis, std::int64_t start, std::int64_t size) {
  const Lanes lanes(input.shape, axis);
  Integers positions;
  for (std::int64_t o = 0; o < lanes.outer; ++o)
    for (std::int64_t k = 0; k < size * lanes.inner; ++k)
      positions.push_back(lanes.position(o, start * lanes.inner) + k);
  Shape shape = input.shape;
  shape[axis] = size;
  return pick(input, std::move(shape), positions);
}

Results split(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", 0), input.shape.size());
  Integers sizes = call.parameter(1, "split", {});
  const auto parts = static_cast<std::int64_t>(call.outputs());
  if (sizes.empty()) {
    call.require(input.shape[axis] % parts == 0, "the axis does not split evenly", input.shape);
    sizes.assign(call.outputs(), input.shape[axis] / parts);
  }
  std::int64_t start = 0;
  Results results;
  for (const std::int64_t size : sizes) {
    call.require(size >= 0 && size <= input.shape[axis] - start, "a part does not fit the axis", sizes);
    results.push_back(cut(input, axis, start, size));
    start += size;
  }
  call.require(start == input.shape[axis] && sizes.size() == call.outputs(), "the parts are not the axis", sizes);
  return results;
}

/// First element, step and number of elements of one axis.
struct Section {
  std::int64_t start = 0, step = 1, count = 0;
};

Section section(const Call& call, std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  call.require(step != 0 && step != std::numeric_limits<std::int64_t>::min(), "a step is zero");
  const auto resolve = [&](std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < 0) value = value < -size ? -1 - size : value;
    return std::clamp(value < 0 ? value + size : value, least, most);
  };
  const std::int64_t least = step > 0 ? 0 : -1, most = step > 0 ? size : size - 1;
  Section result{resolve(start, step > 0 ? 0 : std::min<std::int64_t>(0, size - 1), most), step, 0};
  const std::int64_t stop = resolve(end, least, most);
  const std::int64_t distance = step > 0 ? stop - result.start : result.start - stop;
  const std::int64_t width = step > 0 ? step : -step;
  if (distance > 0) result.count = (distance - 1) / width + 1;
  return result;
}

Results slice(const Call& call) {
  const TypedTensor& input = call.input(0);
  const auto numbers = [&](std::size_t index, const char* key) {
    return call.has(index) ? model::convert(call.input(index), DataType::Int64).integers() : call.integers(key, {});
  };
  const Integers starts = numbers(1, "starts"), ends = numbers(2, "ends");
  Integers axes = numbers(3, "axes"), steps = call.has(4) ? numbers(4, "") : Integers(starts.size(), 1);
  if (axes.empty())
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  call.require(starts.size() == ends.size() && starts.size() == axes.size() && starts.size() == steps.size(),
               "starts, ends, axes and steps have different lengths");
  call.axes(axes, input.shape.size());
  Shape shape = input.shape, strides = strides_of(shape);
  std::int64_t base = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = call.axis(axes[i], shape.size());
    const Section part = section(call, input.shape[axis], starts[i], ends[i], steps[i]);
    shape[axis] = part.count;
    base += part.start * strides[axis];
    // With one element or none the step is never taken, and may be too large for the product.
    strides[axis] = part.count > 1 ? strides[axis] * part.step : 0;
  }
  Integers positions;
  for_each(shape, [&](const Shape& at, std::int64_t) { positions.push_back(base + position_of(at, strides)); });
  return {pick(input, shape, positions)};
}

/// The source of a padded coordinate; -1 for the fill value.
std::int64_t padded_source(const std::string& mode, std::int64_t at, std::int64_t size) {
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return -1;
  if (mode == "edge") return std::clamp<std::int64_t>(at, 0, size - 1);
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1), rest = ((at % period) + period) % period;
  return rest < size ? rest : period - rest;
}

/// Negative padding cuts.
Results pad(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Integers pads = call.parameter(1, "pads", {});
  const std::string mode = call.text("mode", "constant");
  const std::size_t rank = input.shape.size();
  call.require(pads.size() == 2 * rank, "there are not two pads per axis", pads);
  Shape shape = input.shape;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    for (const std::int64_t value : {pads[axis], pads[rank + axis]})
      call.require(value >= -MostElements && value <= MostElements, "a pad is too large", pads);
    shape[axis] += pads[axis] + pads[rank + axis];
    call.require(mode == "constant" || input.shape[axis] > 0 || shape[axis] <= 0, "an empty axis is padded",
                 input.shape);
  }
  call.count(shape);
  TypedTensor fill = zeros(input.type, {}, 1);
  if (call.has(2) && call.input(2).size() > 0) {
    call.require(call.input(2).size() == 1, "the fill value is not a single one", call.input(2).shape);
    fill = call.input(2);
  } else if (call.has_attribute("value")) {
    fill = model::real_tensor(input.type, {}, {call.real("value", 0)});
  }
  const Shape strides = strides_of(input.shape);
  Integers positions;
  for_each(shape, [&](const Shape& at, std::int64_t) {
    std::int64_t position = 0;
    for (std::size_t axis = 0; axis < rank && position >= 0; ++axis) {
      const std::int64_t source = padded_source(mode, at[axis] - pads[axis], input.shape[axis]);
      position = source < 0 ? -1 : position + source * strides[axis];
    }
    positions.push_back(position);
  });
  return {pick(input, shape, positions, fill)};
}

Results tile(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Integers& repeats = call.input(1).integers();
  call.require(repeats.size() == input.shape.size(), "there is not one number per axis", repeats);
  Shape shape = input.shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    call.require(repeats[axis] >= 0 && repeats[axis] <= MostElements, "a number of repeats does not fit", repeats);
    shape[axis] *= repeats[axis];
  }
  call.count(shape);
  const Shape strides = strides_of(input.shape);
  Integers positions;
  for_each(shape, [&](const Shape& at, std::int64_t) {
    std::int64_t position = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) position += at[axis] % input.shape[axis] * strides[axis];
    positions.push_back(position);
  });
  return {pick(input, shape, positions)};
}

}  // namespace

Kernels joining_kernels() {
  return {{"Concat", concat}, {"Pad", pad}, {"Slice", slice}, {"Split", split}, {"Tile", tile}};
}

}  // namespace espalier::cpu::operators

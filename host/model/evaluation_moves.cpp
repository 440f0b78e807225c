#include "model/evaluation_moves.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "model/refusals.hpp"

namespace espalier::model {
namespace {

constexpr std::size_t MostValues = 4096, MostAxes = 8;

using Integers = std::vector<std::int64_t>;
using Inputs = std::vector<const Array*>;
using Places = std::vector<std::size_t>;  // in the source, of every value of a result

bool is_integer(const Array& array) {
  return array.type() != ElementType::Float && array.type() != ElementType::Double;
}

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

/// The integers of an input, or of the attribute where there is no such input.
Integers parameter(const Node& node, const Inputs& inputs, std::size_t index, const std::string& key,
                   const Integers& otherwise) {
  if (index >= inputs.size()) return node.integers(key, otherwise);
  if (!is_integer(*inputs[index]) || inputs[index]->shape.size() > 1) damaged("a list of integers is none", node, key);
  return inputs[index]->as_integers();
}

std::size_t axis_of(const Node& node, std::int64_t axis, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) damaged("the axis is out of range", node, std::to_string(axis));
  return at(axis < 0 ? axis + count : axis);
}

/// Elements from one index of an axis to the next.
Places strides_of(const Shape& shape) {
  Places strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * at(shape[axis]);
  return strides;
}

bool is_small(const Shape& shape, const Node& node) {
  return shape.size() <= MostAxes && at(count_elements(shape, node.where())) <= MostValues;
}

/// The values of `data` at the places that `place` gives for every index of a result of `shape`.
template <typename Place>
Array moved(const Array& data, const Shape& shape, Place&& place) {
  Places places;
  Places index(shape.size(), 0);
  const std::size_t count = std::accumulate(shape.begin(), shape.end(), std::size_t{1},
                                            [](std::size_t n, std::int64_t s) { return n * at(s); });
  for (std::size_t i = 0; i < count; ++i) {
    places.push_back(place(index));
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < at(shape[axis])) break;
      index[axis] = 0;
    }
  }
  return {shape, std::visit(
                     [&](const auto& values) -> Array::Values {
                       std::decay_t<decltype(values)> result;
                       for (const std::size_t from : places) result.push_back(values[from]);
                       return result;
                     },
                     data.values)};
}

std::optional<Array> reshape(const Node& node, const Inputs& inputs) {
  const Array& data = *inputs[0];
  Shape shape = parameter(node, inputs, 1, "shape", {});
  const bool copy_zeros = node.integer("allowzero", 0) == 0;
  std::int64_t known = 1;
  std::size_t free = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && copy_zeros) {
      if (i >= data.shape.size()) damaged("a size is copied from an axis that is not there", node, to_string(shape));
      shape[i] = data.shape[i];
    }
    if (shape[i] < -1 || (shape[i] == -1 && free != shape.size()))
      damaged("the shape is wrong", node, to_string(shape));
    if (shape[i] == -1)
      free = i;
    else if (known > static_cast<std::int64_t>(MostValues) ||
             (known *= shape[i]) > static_cast<std::int64_t>(MostValues))
      damaged("the shape has another number of elements", node, to_string(shape));
  }
  const auto size = static_cast<std::int64_t>(data.size());
  if (free < shape.size()) shape[free] = known == 0 ? 0 : size / known;
  if (!is_small(shape, node)) return {};
  if (count_elements(shape, node.where()) != size)
    damaged("the shape has another number of elements", node, to_string(shape));
  return Array{shape, data.values};
}

std::optional<Array> flatten(const Node& node, const Array& data) {
  const auto rank = static_cast<std::int64_t>(data.shape.size());
  std::int64_t axis = node.integer("axis", 1);
  if (axis < -rank || axis > rank) damaged("the axis is out of range", node, std::to_string(axis));
  if (axis < 0) axis += rank;
  const Shape before(data.shape.begin(), data.shape.begin() + axis),
      behind(data.shape.begin() + axis, data.shape.end());
  return Array{{count_elements(before, node.where()), count_elements(behind, node.where())}, data.values};
}

std::optional<Array> squeeze(const Node& node, const Inputs& inputs) {
  const Array& data = *inputs[0];
  std::vector<bool> drop(data.shape.size());
  const Integers axes = parameter(node, inputs, 1, "axes", {});
  for (const std::int64_t axis : axes) {
    const std::size_t place = axis_of(node, axis, data.shape.size());
    if (data.shape[place] != 1) damaged("an axis of several elements is taken away", node, to_string(data.shape));
    drop[place] = true;
  }
  Shape shape;
  for (std::size_t i = 0; i < data.shape.size(); ++i)
    if (!(axes.empty() ? data.shape[i] == 1 : drop[i])) shape.push_back(data.shape[i]);
  return Array{shape, data.values};
}

std::optional<Array> unsqueeze(const Node& node, const Inputs& inputs) {
  const Array& data = *inputs[0];
  const Integers axes = parameter(node, inputs, 1, "axes", {});
  const std::size_t rank = data.shape.size() + axes.size();
  if (rank > MostAxes) return {};
  std::vector<bool> added(rank);
  for (const std::int64_t axis : axes) {
    const std::size_t place = axis_of(node, axis, rank);
    if (added[place]) damaged("an axis is added twice", node, std::to_string(axis));
    added[place] = true;
  }
  Shape shape;
  auto next = data.shape.begin();
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(added[i] ? 1 : *next++);
  return Array{shape, data.values};
}

std::optional<Array> slice(const Node& node, const Inputs& inputs) {
  const Array& data = *inputs[0];
  const Integers starts = parameter(node, inputs, 1, "starts", {}), ends = parameter(node, inputs, 2, "ends", {});
  Integers every(starts.size());
  std::iota(every.begin(), every.end(), 0);
  const Integers axes = parameter(node, inputs, 3, "axes", every);
  const Integers steps = parameter(node, inputs, 4, "steps", Integers(starts.size(), 1));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    damaged("the lists of a section differ in length", node);
  Shape shape = data.shape;
  Integers first(shape.size(), 0), step(shape.size(), 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axis_of(node, axes[i], shape.size());
    const std::int64_t size = data.shape[axis];
    if (steps[i] == 0) damaged("a section has step 0", node);
    const bool back = steps[i] < 0;
    // Negative places count from the end; behind that, both are clamped to places of the way.
    const auto clamped = [&](std::int64_t index, std::int64_t least) {
      if (index < 0) index = index < -size ? least : index + size;
      return std::clamp(index, least, back ? size - 1 : size);
    };
    const std::int64_t from = clamped(starts[i], 0), to = clamped(ends[i], back ? -1 : 0);
    const std::int64_t way = back ? from - to : to - from;
    const std::int64_t stride =
        back ? (steps[i] < -size ? size : -steps[i]) : std::min(steps[i], std::max<std::int64_t>(size, 1));
    shape[axis] = way <= 0 ? 0 : (way - 1) / std::max<std::int64_t>(stride, 1) + 1;
    first[axis] = from;
    step[axis] = back ? -stride : stride;
  }
  if (count_elements(shape, node.where()) == 0) damaged("a section of a constant is empty", node);
  const Places strides = strides_of(data.shape);
  return moved(data, shape, [&](const Places& index) {
    std::size_t place = 0;
    for (std::size_t i = 0; i < index.size(); ++i)
      place += strides[i] * at(first[i] + static_cast<std::int64_t>(index[i]) * step[i]);
    return place;
  });
}

std::optional<Array> gather(const Node& node, const Array& data, const Array& indices) {
  if (!is_integer(indices) || data.shape.empty()) return {};
  const std::size_t axis = axis_of(node, node.integer("axis", 0), data.shape.size());
  const std::int64_t size = data.shape[axis];
  Places chosen;
  for (const std::int64_t index : indices.as_integers()) {
    if (index < -size || index >= size) damaged("the index is out of range", node, std::to_string(index));
    chosen.push_back(at(index < 0 ? index + size : index));
  }
  Shape shape(data.shape.begin(), data.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.shape.end());
  if (!is_small(shape, node)) return {};
  const Places strides = strides_of(data.shape), inner = strides_of(indices.shape);
  return moved(data, shape, [&](const Places& index) {
    std::size_t place = 0, which = 0;
    for (std::size_t i = 0; i < axis; ++i) place += strides[i] * index[i];
    for (std::size_t i = 0; i < inner.size(); ++i) which += inner[i] * index[axis + i];
    for (std::size_t i = axis + inner.size(); i < index.size(); ++i) place += strides[i - inner.size() + 1] * index[i];
    return place + strides[axis] * chosen[which];
  });
}

std::optional<Array> concat(const Node& node, const Inputs& inputs) {
  const Array& first = *inputs[0];
  if (first.shape.empty()) damaged("a number is joined as a list", node);
  const std::size_t axis = axis_of(node, node.integer("axis", 0), first.shape.size());
  Shape shape = first.shape;
  shape[axis] = 0;
  for (const Array* input : inputs) {
    if (input->type() != first.type()) damaged("constants of two types are joined", node, to_string(input->type()));
    Shape rest = input->shape;
    if (rest.size() == shape.size()) rest[axis] = first.shape[axis];
    if (rest != first.shape) damaged("joined constants do not fit", node, to_string(input->shape));
    shape[axis] += input->shape[axis];
  }
  if (!is_small(shape, node)) return {};
  // All values one after the other, and where each input starts; an input may be there several times.
  Array all{{}, first.values};
  std::vector<std::pair<std::size_t, const Array*>> parts;  // by index of the axis: offset of the input's values
  Places start;
  std::size_t offset = 0, index_before = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Array* const input = inputs[i];
    if (i > 0)
      std::visit(
          [&](auto& values) {
            const auto& more = std::get<std::decay_t<decltype(values)>>(input->values);
            values.insert(values.end(), more.begin(), more.end());
          },
          all.values);
    for (std::int64_t place = 0; place < input->shape[axis]; ++place) {
      parts.emplace_back(offset, input);
      start.push_back(index_before);
    }
    offset += input->size();
    index_before += at(input->shape[axis]);
  }
  return moved(all, shape, [&](const Places& index) {
    const auto& [begin, input] = parts[index[axis]];
    const Places strides = strides_of(input->shape);
    std::size_t place = begin;
    for (std::size_t i = 0; i < index.size(); ++i)
      place += strides[i] * (i == axis ? index[i] - start[index[i]] : index[i]);
    return place;
  });
}

/// Every index of the result is one of the source, modulo its size.
Array repeated(const Array& data, const Shape& shape) {
  const Places strides = strides_of(data.shape);
  const std::size_t more = shape.size() - data.shape.size();
  return moved(data, shape, [&](const Places& index) {
    std::size_t place = 0;
    for (std::size_t i = 0; i < data.shape.size(); ++i) place += strides[i] * (index[more + i] % at(data.shape[i]));
    return place;
  });
}

std::optional<Array> expand(const Node& node, const Inputs& inputs) {
  const Array& data = *inputs[0];
  Shape shape = parameter(node, inputs, 1, "shape", {});
  if (shape.size() < data.shape.size()) shape.insert(shape.begin(), data.shape.size() - shape.size(), 1);
  for (std::size_t i = 0; i < data.shape.size(); ++i) {
    std::int64_t& size = shape[shape.size() - data.shape.size() + i];
    if (size == 1) size = data.shape[i];
    if (size != data.shape[i] && data.shape[i] != 1)
      damaged("a constant does not fit its new shape", node, to_string(shape));
  }
  if (!is_small(shape, node)) return {};
  return repeated(data, shape);
}

std::optional<Array> tile(const Node& node, const Inputs& inputs) {
  const Array& data = *inputs[0];
  const Integers repeats = parameter(node, inputs, 1, "repeats", {});
  if (repeats.size() != data.shape.size()) damaged("there is not one number of repeats for every axis", node);
  Shape shape = data.shape;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (repeats[i] < 1 || repeats[i] > static_cast<std::int64_t>(MostValues)) return {};
    shape[i] *= repeats[i];
  }
  if (!is_small(shape, node)) return {};
  return repeated(data, shape);
}

}  // namespace

std::optional<Array> evaluate_move(const Node& node, const Inputs& inputs) {
  for (const Array* input : inputs)
    if (input->size() == 0 || input->size() > MostValues || input->shape.size() > MostAxes) return {};
  if (node.op == "Concat") return concat(node, inputs);
  if (node.op == "Flatten") return flatten(node, *inputs[0]);
  if (node.op == "Squeeze") return squeeze(node, inputs);
  if (node.op == "Unsqueeze") return unsqueeze(node, inputs);
  if (node.op == "Slice") return slice(node, inputs);
  if (node.op == "Reshape" && (inputs.size() > 1 || node.attributes.contains("shape"))) return reshape(node, inputs);
  if (inputs.size() < 2) return {};
  if (node.op == "Gather") return gather(node, *inputs[0], *inputs[1]);
  if (node.op == "Expand") return expand(node, inputs);
  if (node.op == "Tile") return tile(node, inputs);
  return {};
}

}  // namespace espalier::model

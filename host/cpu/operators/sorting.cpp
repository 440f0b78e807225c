// TopK and Unique.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// -1, 0 or 1; not-a-number is the largest.
int compare(const TypedTensor& tensor, std::int64_t a, std::int64_t b) {
  const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
  if (!model::is_real(tensor.type)) {
    const Integers& v = tensor.integers();
    return less(tensor.type, v[i], v[j]) ? -1 : less(tensor.type, v[j], v[i]) ? 1 : 0;
  }
  const double x = tensor.reals()[i], y = tensor.reals()[j];
  if (std::isnan(x) || std::isnan(y)) return static_cast<int>(std::isnan(x)) - static_cast<int>(std::isnan(y));
  return x < y ? -1 : x > y ? 1 : 0;
}

/// Equal elements keep their order.
Results top(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", -1), input.shape.size());
  const bool largest = call.opset() < 11 || call.integer("largest", 1) != 0;
  const std::int64_t count = call.integer_scalar(1, 0);
  call.require(count >= 0 && count <= input.shape[axis], "the axis has fewer elements", {count});
  const Lanes lanes(input.shape, axis);
  Shape shape = input.shape;
  shape[axis] = count;
  Integers positions(call.count(shape)), indices(positions.size());
  std::vector<std::int64_t> order(static_cast<std::size_t>(lanes.length));
  for (std::int64_t o = 0; o < lanes.outer; ++o)
    for (std::int64_t i = 0; i < lanes.inner; ++i) {
      const auto at = [&](std::int64_t k) { return lanes.position(o, i) + k * lanes.inner; };
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        const int sign = compare(input, at(a), at(b));
        return largest ? sign > 0 : sign < 0;
      });
      for (std::int64_t k = 0; k < count; ++k) {
        const auto target = static_cast<std::size_t>((o * count + k) * lanes.inner + i);
        indices[target] = order[static_cast<std::size_t>(k)];
        positions[target] = at(indices[target]);
      }
    }
  return {pick(input, shape, positions), {DataType::Int64, shape, std::move(indices)}};
}

TypedTensor vector_of(Integers values) {
  const Shape shape = {static_cast<std::int64_t>(values.size())};
  return {DataType::Int64, shape, std::move(values)};
}

/// Different elements, or slices along an axis, with the first place, the number of each, and which one stood where.
Results unique(const Call& call) {
  const TypedTensor& input = call.input(0);
  const TypedTensor flat =
      call.has_attribute("axis") ? input : reshaped(input, {static_cast<std::int64_t>(input.size())});
  const std::size_t axis = call.axis(call.integer("axis", 0), flat.shape.size());
  const Lanes lanes(flat.shape, axis);
  const auto before = [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t o = 0; o < lanes.outer; ++o)
      for (std::int64_t i = 0; i < lanes.inner; ++i) {
        const int sign = compare(flat, lanes.position(o, i) + a * lanes.inner, lanes.position(o, i) + b * lanes.inner);
        if (sign != 0) return sign < 0;
      }
    return false;
  };
  std::map<std::int64_t, Integers, decltype(before)> groups(before);
  for (std::int64_t k = 0; k < lanes.length; ++k) groups[k].push_back(k);
  std::vector<Integers> found;
  for (const auto& [first, members] : groups) found.push_back(members);
  if (call.integer("sorted", 1) == 0)
    std::sort(found.begin(), found.end(), [](const Integers& a, const Integers& b) { return a[0] < b[0]; });
  Integers firsts, counts, inverse(static_cast<std::size_t>(lanes.length)), positions;
  for (std::size_t group = 0; group < found.size(); ++group) {
    firsts.push_back(found[group][0]);
    counts.push_back(static_cast<std::int64_t>(found[group].size()));
    for (const std::int64_t member : found[group])
      inverse[static_cast<std::size_t>(member)] = static_cast<std::int64_t>(group);
  }
  for (std::int64_t o = 0; o < lanes.outer; ++o)
    for (const std::int64_t first : firsts)
      for (std::int64_t i = 0; i < lanes.inner; ++i) positions.push_back(lanes.position(o, first * lanes.inner) + i);
  Shape shape = flat.shape;
  shape[axis] = static_cast<std::int64_t>(firsts.size());
  return {pick(flat, shape, positions), vector_of(std::move(firsts)), vector_of(std::move(inverse)),
          vector_of(std::move(counts))};
}

}  // namespace

Kernels sorting_kernels() { return {{"TopK", top}, {"Unique", unique}}; }

}  // namespace espalier::cpu::operators

// Shapes of operators that move values without changing them.
#include <algorithm>
#include <limits>
#include <numeric>

#include "model/shape_rules.hpp"

namespace espalier::model {
namespace {

using Shapes = std::vector<Shape>;

Shapes blocks_to_pixels(const ShapeQuestions& ask) {
  const Shape& map = ask.shape(0);
  const std::int64_t block = ask.node().integer("blocksize", 0);
  ask.require(map.size() == 4 && block > 0 && block < (1 << 15) && map[1] % (block * block) == 0,
              "the channels are no whole blocks", map);
  return {{map[0], map[1] / (block * block), map[2] * block, map[3] * block}};
}

Shapes pixels_to_blocks(const ShapeQuestions& ask) {
  const Shape& map = ask.shape(0);
  const std::int64_t block = ask.node().integer("blocksize", 0);
  ask.require(map.size() == 4 && block > 0 && block < (1 << 15) && map[2] % block == 0 && map[3] % block == 0,
              "the map is no whole number of blocks", map);
  return {{map[0], map[1] * block * block, map[2] / block, map[3] / block}};
}

Shapes expanded(const ShapeQuestions& ask) { return {ask.broadcast(ask.shape(0), ask.list(1, ""))}; }

Shapes gathered(const ShapeQuestions& ask) {
  const Shape &data = ask.shape(0), &indices = ask.shape(1);
  const auto axis = static_cast<std::ptrdiff_t>(ask.axis("axis", 0, data.size()));
  Shape result(data.begin(), data.begin() + axis);
  result.insert(result.end(), indices.begin(), indices.end());
  result.insert(result.end(), data.begin() + axis + 1, data.end());
  return {std::move(result)};
}

Shapes gathered_elements(const ShapeQuestions& ask) { return {ask.shape(1)}; }

Shapes gathered_slices(const ShapeQuestions& ask) {
  const Shape &data = ask.shape(0), &indices = ask.shape(1);
  const std::int64_t batch = ask.node().integer("batch_dims", 0);
  ask.require(!indices.empty() && batch >= 0 && batch <= static_cast<std::int64_t>(data.size()) &&
                  indices.back() >= 1 && batch + indices.back() <= static_cast<std::int64_t>(data.size()),
              "the indices do not fit", indices);
  Shape result(indices.begin(), indices.end() - 1);
  result.insert(result.end(), data.begin() + batch + indices.back(), data.end());
  return {std::move(result)};
}

Shapes one_hot(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  const auto depth = ask.list(1, "");
  ask.require(depth.size() == 1, "the depth is no scalar", depth);
  const auto axis = static_cast<std::ptrdiff_t>(ask.axis("axis", -1, result.size() + 1));
  result.insert(result.begin() + axis, depth[0]);
  return {std::move(result)};
}

Shapes padded(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  const auto pads = ask.list(1, "pads");
  ask.require(pads.size() == 2 * result.size(), "there are not two pads per axis", pads);
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (const std::int64_t size : {pads[i], pads[result.size() + i]})
      ask.require(size >= -65535 && size <= 65535, "the padding is out of range", pads);
    result[i] += pads[i] + pads[result.size() + i];
  }
  return {std::move(result)};
}

/// ceil((end - start) / step) along every listed axis.
Shapes cut(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  const auto starts = ask.list(1, "starts"), ends = ask.list(2, "ends");
  std::vector<std::int64_t> axes(starts.size()), steps(starts.size(), 1);
  std::iota(axes.begin(), axes.end(), 0);
  if (ask.has_list(3, "axes")) axes = ask.list(3, "axes");
  if (ask.has(4)) steps = ask.list(4, "");
  ask.require(ends.size() == starts.size() && axes.size() == starts.size() && steps.size() == starts.size(),
              "starts, ends, axes and steps differ in size");
  std::vector<bool> seen(result.size(), false);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = ask.axis(axes[i], result.size());
    ask.require(!seen[axis] && steps[i] != 0, "an axis is given twice, or a step is zero", axes);
    seen[axis] = true;
    const std::int64_t size = result[axis], low = steps[i] > 0 ? 0 : -1, high = steps[i] > 0 ? size : size - 1;
    const auto place = [&](std::int64_t index) {
      return std::clamp<std::int64_t>(index < -size ? -1 : index < 0 ? index + size : index, low, high);
    };
    const std::int64_t length = steps[i] > 0 ? place(ends[i]) - place(starts[i]) : place(starts[i]) - place(ends[i]);
    const std::int64_t step = steps[i] == std::numeric_limits<std::int64_t>::min()
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : std::abs(steps[i]);
    result[axis] = length < 1 ? 0 : (length - 1) / step + 1;
  }
  return {std::move(result)};
}

Shapes parts(const ShapeQuestions& ask) {
  const std::size_t axis = ask.axis("axis", 0, ask.rank(0)), count = ask.node().outputs.size();
  const std::int64_t size = ask.shape(0)[axis];
  std::vector<std::int64_t> sizes;
  if (ask.has_list(1, "split")) {
    sizes = ask.list(1, "split");
  } else {
    ask.require(size % static_cast<std::int64_t>(count) == 0, "the parts are not equal", {size});
    sizes.assign(count, size / static_cast<std::int64_t>(count));
  }
  std::int64_t sum = 0;
  for (const std::int64_t part : sizes) {
    ask.require(part >= 0 && part <= size, "a part does not fit", sizes);
    sum += part;
  }
  ask.require(sizes.size() == count && sum == size, "the parts do not fit", sizes);
  Shapes result(count, ask.shape(0));
  for (std::size_t i = 0; i < count; ++i) result[i][axis] = sizes[i];
  return result;
}

Shapes tiled(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  const auto repeats = ask.list(1, "");
  ask.require(repeats.size() == result.size(), "there is not one repeat per axis", repeats);
  for (std::size_t i = 0; i < result.size(); ++i) {
    ask.require(repeats[i] > 0 && repeats[i] <= MaxElements / result[i], "a repeat is out of range", repeats);
    result[i] *= repeats[i];
  }
  return {std::move(result)};
}

Shapes chosen(const ShapeQuestions& ask) {
  const auto condition = ask.list(1, "");
  const auto count = std::count_if(condition.begin(), condition.end(), [](std::int64_t value) { return value != 0; });
  if (!ask.node().attributes.contains("axis")) return {{count}};
  Shape result = ask.shape(0);
  result[ask.axis("axis", 0, result.size())] = count;
  return {std::move(result)};
}

Shapes unknown(const ShapeQuestions& ask) { ask.refuse("the size of the result depends on values"); }

}  // namespace

ShapeRules moved_shape_rules() {
  return {{"Compress", chosen},
          {"DepthToSpace", blocks_to_pixels},
          {"Expand", expanded},
          {"Gather", gathered},
          {"GatherElements", gathered_elements},
          {"GatherND", gathered_slices},
          {"NonMaxSuppression", unknown},
          {"NonZero", unknown},
          {"OneHot", one_hot},
          {"Pad", padded},
          {"Slice", cut},
          {"SpaceToDepth", pixels_to_blocks},
          {"Split", parts},
          {"Tile", tiled},
          {"Unique", unknown}};
}

}  // namespace espalier::model

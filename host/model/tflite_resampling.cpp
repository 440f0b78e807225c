// Operators of TensorFlow Lite files that change the size of maps.
#include <algorithm>
#include <limits>

#include "model/tflite_builder.hpp"
#include "model/tflite_conversions.hpp"

namespace espalier::model::tflite_conversions {
namespace {

[[noreturn]] void damaged(const std::string& problem, const TfliteOperation& operation, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, operation.where, value, "export the model again");
}

[[noreturn]] void unsupported(const std::string& problem, const TfliteOperation& operation, const std::string& value,
                              const std::string& action) {
  throw Error(ErrorCode::Unsupported, problem, operation.where, value, action);
}

template <typename Options>
const Options& options(const TfliteOperation& operation) {
  const auto* given = operation.entry->builtin_options_as<Options>();
  if (given == nullptr) damaged("the options of the operator are missing", operation);
  return *given;
}

int list(TfliteBuilder& builder, const TfliteOperation& operation, const char* what, std::vector<std::int64_t> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return builder.constant(operation.name + what, {{size}, std::move(values)});
}

/// The coordinates of TensorFlow: by default the corner of a pixel, optionally its centre or the corners of the map.
void resize(TfliteBuilder& builder, const TfliteOperation& operation, bool nearest, bool align_corners, bool centres) {
  const auto size = builder.integers(operation, 1, "the size");
  const Shape map = builder.file().shape(*operation.inputs[0]);
  if (map.size() != 4 || size.size() != 2) damaged("the size does not fit a map", operation, to_string(size));
  const std::string mode = align_corners ? "align_corners" : centres ? "half_pixel" : "asymmetric";
  Attributes attributes{{"mode", std::string(nearest ? "nearest" : "linear")},
                        {"coordinate_transformation_mode", mode}};
  if (nearest) attributes["nearest_mode"] = std::string(align_corners || centres ? "round_prefer_ceil" : "floor");
  const int sizes = list(builder, operation, ".sizes", {map[0], map[3], size[0], size[1]});
  builder.finish(operation,
                 builder.emit(operation, "Resize", {builder.real(operation, 0), -1, -1, sizes}, std::move(attributes)));
}

struct Cut {
  std::vector<std::int64_t> starts, ends, axes, steps;
};

int emit_cut(TfliteBuilder& builder, const TfliteOperation& operation, int source, Cut cut) {
  return builder.emit(
      operation, "Slice",
      {source, list(builder, operation, ".starts", std::move(cut.starts)),
       list(builder, operation, ".ends", std::move(cut.ends)), list(builder, operation, ".axes", std::move(cut.axes)),
       list(builder, operation, ".steps", std::move(cut.steps))});
}

}  // namespace

void resize_bilinear(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::ResizeBilinearOptions>(operation);
  resize(builder, operation, false, given.align_corners(), given.half_pixel_centers());
}

void resize_nearest(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::ResizeNearestNeighborOptions>(operation);
  resize(builder, operation, true, given.align_corners(), given.half_pixel_centers());
}

/// Channels become blocks of pixels: the rows of a block first, then its columns, as in the mode DCR.
void depth_to_space(TfliteBuilder& builder, const TfliteOperation& operation) {
  const std::int64_t side = options<tflite::DepthToSpaceOptions>(operation).block_size();
  if (side < 1 || builder.rank(*operation.inputs[0]) != 4)
    damaged("the blocks do not fit a map", operation, std::to_string(side));
  builder.finish(operation,
                 builder.emit(operation, "DepthToSpace", {builder.real(operation, 0)}, {{"blocksize", side}}));
}

/// `size` elements from `begin` on; -1 is all that are left.
void slice(TfliteBuilder& builder, const TfliteOperation& operation) {
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  const Shape from = builder.file().shape(*operation.inputs[0]);
  const auto begin = builder.integers(operation, 1, "the start"), size = builder.integers(operation, 2, "the size");
  if (begin.size() != rank || size.size() != rank) damaged("start or size do not fit the rank", operation);
  Cut cut;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t length = size[i] == -1 ? from[i] - begin[i] : size[i];
    if (begin[i] < 0 || length < 1 || begin[i] > from[i] || length > from[i] - begin[i])
      damaged("the cut lies outside of the tensor", operation, std::to_string(begin[i]));
    cut.starts.push_back(begin[i]);
    cut.ends.push_back(begin[i] + length);
    cut.axes.push_back(builder.axis(static_cast<std::int64_t>(i), rank, operation.where));
    cut.steps.push_back(1);
  }
  builder.finish(operation, emit_cut(builder, operation, builder.real(operation, 0), std::move(cut)));
}

/// Bit i of a mask is about axis i of the file: begin_mask and end_mask leave out the bound, shrink_axis_mask takes one
/// element and drops the axis.
void strided_slice(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::StridedSliceOptions>(operation);
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  const auto begin = builder.integers(operation, 1, "the start"), end = builder.integers(operation, 2, "the end");
  const auto step = builder.integers(operation, 3, "the step");
  if (given.ellipsis_mask() != 0 || given.new_axis_mask() != 0)
    unsupported("new axes and an ellipsis are not supported", operation, std::to_string(given.new_axis_mask()),
                "convert with explicit axes");
  if (begin.size() > rank || end.size() != begin.size() || step.size() != begin.size())
    damaged("start, end and step do not fit the rank", operation, to_string(begin));
  const bool shrinks = given.shrink_axis_mask() != 0;
  Cut cut;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    const auto is_set = [&](int mask) { return ((mask >> i) & 1) != 0; };
    const bool one = is_set(given.shrink_axis_mask());
    if (step[i] < 1)
      unsupported("only steps forwards are supported", operation, std::to_string(step[i]), "slice forwards");
    constexpr std::int64_t behind = std::numeric_limits<std::int32_t>::max();
    const std::int64_t start = is_set(given.begin_mask()) && !one ? 0 : begin[i];
    cut.starts.push_back(start);
    cut.ends.push_back(one ? (start == -1 ? behind : start + 1) : is_set(given.end_mask()) ? behind : end[i]);
    // What drops axes is done in the order of the file.
    const auto axis = static_cast<std::int64_t>(i);
    cut.axes.push_back(shrinks ? axis : builder.axis(axis, rank, operation.where));
    cut.steps.push_back(one ? 1 : step[i]);
  }
  const int source = builder.real(operation, 0);
  if (!shrinks) return builder.finish(operation, emit_cut(builder, operation, source, std::move(cut)));
  const Shape result = builder.file().shape(operation.output);
  int value = emit_cut(builder, operation, builder.channels_last(operation, source, rank), std::move(cut));
  value = builder.emit(operation, "Reshape", {value}, {{"shape", result}});
  builder.finish(operation, builder.channels_first(operation, value, result.size()));
}

/// Inputs: shape of the result, weights [outputs, height, width, inputs], map, bias.
void transposed_convolution(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::TransposeConvOptions>(operation);
  const auto result = builder.integers(operation, 0, "the shape");
  const Shape weights = builder.file().shape(*operation.inputs[1]), map = builder.file().shape(*operation.inputs[2]);
  if (result.size() != 4 || weights.size() != 4 || map.size() != 4)
    unsupported("only two-dimensional maps are supported", operation, to_string(map), "use four axes");
  const std::vector<std::int64_t> stride{given.stride_h(), given.stride_w()};
  std::vector<std::int64_t> pads(4, 0), more(2, 0);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (stride[axis] < 1 || stride[axis] > 65535) damaged("a stride is out of range", operation);
    // All of the scattered map; what is too much is cut, with the larger half behind as SAME pads.
    const std::int64_t full = (map[axis + 1] - 1) * stride[axis] + weights[axis + 1];
    const std::int64_t surplus = std::max<std::int64_t>(full - result[axis + 1], 0);
    pads[axis] = surplus / 2;
    pads[axis + 2] = surplus - surplus / 2;
    more[axis] = std::max<std::int64_t>(result[axis + 1] - full, 0);
  }
  std::vector<int> inputs{builder.real(operation, 2), builder.weights(operation, 1, {3, 0, 1, 2})};
  if (operation.has_input(3)) inputs.push_back(builder.real(operation, 3));
  const int value =
      builder.emit(operation, "ConvTranspose", inputs, {{"strides", stride}, {"pads", pads}, {"output_padding", more}});
  builder.finish(operation, value, given.activation());
}

}  // namespace espalier::model::tflite_conversions

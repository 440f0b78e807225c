// Operators of TensorFlow Lite files that move values, and reductions along axes.
#include "model/tflite_builder.hpp"
#include "model/tflite_conversions.hpp"

namespace espalier::model::tflite_conversions {
namespace {

[[noreturn]] void damaged(const std::string& problem, const TfliteOperation& operation, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, operation.where, value, "export the model again");
}

template <typename Options>
const Options& options(const TfliteOperation& operation) {
  const auto* given = operation.entry->builtin_options_as<Options>();
  if (given == nullptr) damaged("the options of the operator are missing", operation);
  return *given;
}

void blocks(TfliteBuilder& builder, const TfliteOperation& operation, const char* op, std::int64_t size) {
  builder.finish(operation, builder.emit(operation, op, {builder.real(operation, 0)}, {{"blocksize", size}}));
}

int list(TfliteBuilder& builder, const TfliteOperation& operation, const char* what, std::vector<std::int64_t> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return builder.constant(operation.name + what, {{size}, std::move(values)});
}

/// One Slice for each result.
void cut(TfliteBuilder& builder, const TfliteOperation& operation, std::size_t input, std::size_t axis_input,
         const std::vector<std::int64_t>& sizes) {
  const std::size_t rank = builder.rank(*operation.inputs[input]);
  const auto axes = builder.integers(operation, axis_input, "the axis");
  if (axes.size() != 1) damaged("the axis is no scalar", operation, std::to_string(axes.size()));
  const std::int64_t axis = builder.axis(axes[0], rank, operation.where);
  if (sizes.size() != operation.outputs.size())
    damaged("there is not one size for each result", operation, std::to_string(sizes.size()));
  const int source = builder.real(operation, input);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    TfliteOperation part = operation;
    part.output = operation.outputs[i];
    part.name = builder.file().name(part.output);
    const std::int64_t end = start + sizes[i];
    const int value = builder.emit(part, "Slice",
                                   {source, list(builder, part, ".starts", {start}),
                                    list(builder, part, ".ends", {end}), list(builder, part, ".axes", {axis})});
    builder.finish(part, value);
    start = end;
  }
}

/// The size of an axis that an input names, as the file counts axes.
std::int64_t size_along(TfliteBuilder& builder, const TfliteOperation& operation, std::size_t input,
                        std::size_t axis_input) {
  const Shape shape = builder.file().shape(*operation.inputs[input]);
  const auto axes = builder.integers(operation, axis_input, "the axis");
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (axes.size() != 1 || axes[0] < -rank || axes[0] >= rank) damaged("the axis is out of range", operation);
  return shape[static_cast<std::size_t>(axes[0] < 0 ? axes[0] + rank : axes[0])];
}

/// Axes are an attribute but of ReduceSum, which takes them as an input.
void reduce(TfliteBuilder& builder, const TfliteOperation& operation, const char* op, bool axes_are_input) {
  const bool keep = options<tflite::ReducerOptions>(operation).keep_dims();
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  std::vector<std::int64_t> axes;
  for (const std::int64_t axis : builder.integers(operation, 1, "the list of axes"))
    axes.push_back(builder.axis(axis, rank, operation.where));
  if (rank == 4 && !keep)
    throw Error(ErrorCode::Unsupported, "a reduction of a map that drops its axes is not supported", operation.where,
                {}, "convert with keep_dims");
  std::vector<int> inputs{builder.real(operation, 0)};
  Attributes attributes{{"keepdims", std::int64_t{keep}}};
  if (axes_are_input)
    inputs.push_back(list(builder, operation, ".axes", std::move(axes)));
  else
    attributes["axes"] = std::move(axes);
  builder.finish(operation, builder.emit(operation, op, std::move(inputs), std::move(attributes)));
}

}  // namespace

void depth_to_space(TfliteBuilder& builder, const TfliteOperation& operation) {
  blocks(builder, operation, "DepthToSpace", options<tflite::DepthToSpaceOptions>(operation).block_size());
}

void space_to_depth(TfliteBuilder& builder, const TfliteOperation& operation) {
  blocks(builder, operation, "SpaceToDepth", options<tflite::SpaceToDepthOptions>(operation).block_size());
}

/// Inputs: axis, tensor; the results have one size.
void split(TfliteBuilder& builder, const TfliteOperation& operation) {
  const std::int64_t size = size_along(builder, operation, 1, 0);
  const auto count = static_cast<std::int64_t>(operation.outputs.size());
  if (size % count != 0) damaged("the results do not have one size", operation, std::to_string(size));
  cut(builder, operation, 1, 0, std::vector<std::int64_t>(operation.outputs.size(), size / count));
}

/// Inputs: tensor, sizes, axis; one size may be -1, which is what is left.
void split_by_sizes(TfliteBuilder& builder, const TfliteOperation& operation) {
  auto sizes = builder.integers(operation, 1, "the list of sizes");
  const std::int64_t all = size_along(builder, operation, 0, 2);
  std::int64_t sum = 0;
  std::int64_t* open = nullptr;
  for (std::int64_t& size : sizes) {
    if (size == -1 && open == nullptr)
      open = &size;
    else if (size < 1 || size > all)
      damaged("a size does not fit", operation, std::to_string(size));
    else
      sum += size;
  }
  if (open != nullptr) *open = all - sum;
  if ((open == nullptr ? sum != all : *open < 1)) damaged("the sizes do not fit", operation, std::to_string(sum));
  cut(builder, operation, 0, 2, sizes);
}

/// Mode 0 reflects without the border, mode 1 with it, which only the operators of later sets have.
void mirror_pad(TfliteBuilder& builder, const TfliteOperation& operation) {
  if (options<tflite::MirrorPadOptions>(operation).mode() != 0)
    throw Error(ErrorCode::Unsupported, "padding that repeats the border is not supported", operation.where,
                "SYMMETRIC", "use REFLECT");
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  const auto given = builder.integers(operation, 1, "the padding");
  if (given.size() != 2 * rank) damaged("the padding does not fit the rank", operation, to_string(given));
  std::vector<std::int64_t> pads(2 * rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::size_t>(builder.axis(static_cast<std::int64_t>(i), rank, operation.where));
    pads[axis] = given[2 * i];
    pads[axis + rank] = given[2 * i + 1];
  }
  const std::vector<int> inputs{builder.real(operation, 0), list(builder, operation, ".pads", std::move(pads))};
  builder.finish(operation, builder.emit(operation, "Pad", inputs, {{"mode", std::string("reflect")}}));
}

void sum(TfliteBuilder& builder, const TfliteOperation& operation) { reduce(builder, operation, "ReduceSum", true); }
void largest(TfliteBuilder& builder, const TfliteOperation& operation) {
  reduce(builder, operation, "ReduceMax", false);
}
void least(TfliteBuilder& builder, const TfliteOperation& operation) { reduce(builder, operation, "ReduceMin", false); }

}  // namespace espalier::model::tflite_conversions

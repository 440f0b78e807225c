#include "model/tflite_operators.hpp"

#include <algorithm>
#include <cmath>

#include "model/array_order.hpp"
#include "model/operators.hpp"
#include "model/tflite_builder.hpp"
#include "model/tflite_conversions.hpp"

namespace espalier::model {
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

const char* padding(tflite::Padding given, const TfliteOperation& operation) {
  if (given == tflite::Padding_Same) return "SAME_UPPER";
  if (given == tflite::Padding_Valid) return "VALID";
  damaged("the padding is not known", operation, std::to_string(static_cast<int>(given)));
}

std::vector<std::int64_t> pair(std::int32_t height, std::int32_t width) { return {height, width}; }

void need_rank(TfliteBuilder& builder, const TfliteOperation& operation, std::size_t input, std::size_t rank) {
  const std::size_t given = builder.rank(operation.inputs[input].value());
  if (given != rank)
    unsupported("input " + std::to_string(input) + " does not have " + std::to_string(rank) + " axes", operation,
                std::to_string(given), "use batch x height x width x channels");
}

void convolution(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::Conv2DOptions>(operation);
  need_rank(builder, operation, 0, 4);
  need_rank(builder, operation, 1, 4);
  const std::int64_t channels = builder.file().shape(*operation.inputs[0])[3];
  const std::int64_t row = builder.file().shape(*operation.inputs[1])[3];
  if (row < 1 || channels % row != 0) damaged("channels and weights do not fit", operation, std::to_string(row));
  std::vector<int> inputs{builder.real(operation, 0), builder.weights(operation, 1, {0, 3, 1, 2})};
  if (operation.has_input(2)) inputs.push_back(builder.bias(operation, 2));
  const int result = builder.emit(operation, "Conv", inputs,
                                  {{"auto_pad", std::string(padding(given.padding(), operation))},
                                   {"strides", pair(given.stride_h(), given.stride_w())},
                                   {"dilations", pair(given.dilation_h(), given.dilation_w())},
                                   {"group", channels / row}});
  builder.finish(operation, result, given.activation());
}

void depthwise_convolution(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::DepthwiseConv2DOptions>(operation);
  need_rank(builder, operation, 0, 4);
  need_rank(builder, operation, 1, 4);
  if (builder.file().shape(*operation.inputs[1])[0] != 1)
    damaged("the weights of a depthwise convolution have several rows", operation);
  std::vector<int> inputs{builder.real(operation, 0), builder.weights(operation, 1, {3, 0, 1, 2})};
  if (operation.has_input(2)) inputs.push_back(builder.bias(operation, 2));
  const int result = builder.emit(operation, "Conv", inputs,
                                  {{"auto_pad", std::string(padding(given.padding(), operation))},
                                   {"strides", pair(given.stride_h(), given.stride_w())},
                                   {"dilations", pair(given.dilation_h(), given.dilation_w())},
                                   {"group", builder.file().shape(*operation.inputs[0])[3]}});
  builder.finish(operation, result, given.activation());
}

void pool(TfliteBuilder& builder, const TfliteOperation& operation, const char* op) {
  const auto& given = options<tflite::Pool2DOptions>(operation);
  need_rank(builder, operation, 0, 4);
  const int result = builder.emit(operation, op, {builder.real(operation, 0)},
                                  {{"auto_pad", std::string(padding(given.padding(), operation))},
                                   {"strides", pair(given.stride_h(), given.stride_w())},
                                   {"kernel_shape", pair(given.filter_height(), given.filter_width())}});
  builder.finish(operation, result, given.activation());
}
void max_pool(TfliteBuilder& builder, const TfliteOperation& operation) { pool(builder, operation, "MaxPool"); }
void average_pool(TfliteBuilder& builder, const TfliteOperation& operation) { pool(builder, operation, "AveragePool"); }

void fully_connected(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::FullyConnectedOptions>(operation);
  if (given.weights_format() != 0)
    unsupported("shuffled weights are not supported", operation, std::to_string(given.weights_format()),
                "convert with the default format");
  need_rank(builder, operation, 1, 2);
  const std::size_t rank = builder.rank(*operation.inputs[0]), result_rank = builder.rank(operation.output);
  int source = builder.real(operation, 0);
  if (rank != 2) {
    source = builder.channels_last(operation, source, rank);
    const std::int64_t columns = builder.file().shape(*operation.inputs[1])[1];
    source = builder.emit(operation, "Reshape", {source}, {{"shape", Shape{-1, columns}}});
  }
  std::vector<int> inputs{source, builder.weights(operation, 1, {0, 1})};
  if (operation.has_input(2)) inputs.push_back(builder.bias(operation, 2));
  int result = builder.emit(operation, "Gemm", inputs, {{"transB", std::int64_t{1}}});
  if (result_rank != 2) {
    result = builder.emit(operation, "Reshape", {result}, {{"shape", builder.file().shape(operation.output)}});
    result = builder.channels_first(operation, result, result_rank);
  }
  builder.finish(operation, result, given.activation());
}

void arithmetic(TfliteBuilder& builder, const TfliteOperation& operation, const char* op,
                tflite::Activation activation) {
  const std::size_t rank = std::max(builder.rank(*operation.inputs[0]), builder.rank(*operation.inputs[1]));
  const int first = builder.operand(operation, 0, rank), second = builder.operand(operation, 1, rank);
  builder.finish(operation, builder.emit(operation, op, {first, second}), activation);
}
template <typename Options>
tflite::Activation activation(const TfliteOperation& operation) {
  const auto* given = operation.entry->builtin_options_as<Options>();
  return given == nullptr ? tflite::Activation_None : given->activation();
}
void add(TfliteBuilder& builder, const TfliteOperation& operation) {
  arithmetic(builder, operation, "Add", activation<tflite::AddOptions>(operation));
}
void subtract(TfliteBuilder& builder, const TfliteOperation& operation) {
  arithmetic(builder, operation, "Sub", activation<tflite::SubOptions>(operation));
}
void multiply(TfliteBuilder& builder, const TfliteOperation& operation) {
  arithmetic(builder, operation, "Mul", activation<tflite::MulOptions>(operation));
}
void divide(TfliteBuilder& builder, const TfliteOperation& operation) {
  arithmetic(builder, operation, "Div", activation<tflite::DivOptions>(operation));
}

void concatenate(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto& given = options<tflite::ConcatenationOptions>(operation);
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  std::vector<int> inputs;
  for (std::size_t i = 0; i < operation.inputs.size(); ++i) {
    if (!operation.has_input(i)) damaged("a required input is missing", operation, std::to_string(i));
    need_rank(builder, operation, i, rank);
    inputs.push_back(builder.operand(operation, i, rank));
  }
  const std::int64_t axis = builder.axis(given.axis(), rank, operation.where);
  builder.finish(operation, builder.emit(operation, "Concat", inputs, {{"axis", axis}}), given.activation());
}

void relu(TfliteBuilder& builder, const TfliteOperation& operation) {
  builder.finish(operation, builder.real(operation, 0), tflite::Activation_Relu);
}
void relu_six(TfliteBuilder& builder, const TfliteOperation& operation) {
  builder.finish(operation, builder.real(operation, 0), tflite::Activation_Relu6);
}
void relu_minus_one_to_one(TfliteBuilder& builder, const TfliteOperation& operation) {
  builder.finish(operation, builder.real(operation, 0), tflite::Activation_ReluN1To1);
}
void relu_zero_to_one(TfliteBuilder& builder, const TfliteOperation& operation) {
  const int source = builder.real(operation, 0);
  builder.finish(operation, builder.emit(operation, "Clip", {source}, {{"min", 0.0F}, {"max", 1.0F}}));
}

/// The order of the values is that of the file, with the channels last.
void reshape_to(TfliteBuilder& builder, const TfliteOperation& operation, const Shape& target) {
  for (const std::int64_t size : target)
    if (size == 0 || size < -1) damaged("the shape is not valid", operation, to_string(target));
  int value = builder.channels_last(operation, builder.real(operation, 0), builder.rank(*operation.inputs[0]));
  value = builder.emit(operation, "Reshape", {value}, {{"shape", target}});
  builder.finish(operation, builder.channels_first(operation, value, target.size()));
}
void reshape(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto* given = operation.entry->builtin_options_as<tflite::ReshapeOptions>();
  if (operation.has_input(1)) return reshape_to(builder, operation, builder.integers(operation, 1, "the shape"));
  if (given == nullptr || given->new_shape() == nullptr) damaged("the shape is missing", operation);
  reshape_to(builder, operation, Shape(given->new_shape()->begin(), given->new_shape()->end()));
}
/// Squeeze and ExpandDims: the file says which shape the result has, and infer() that it has as many elements.
void reshape_to_output(TfliteBuilder& builder, const TfliteOperation& operation) {
  reshape_to(builder, operation, builder.file().shape(operation.output));
}

void transpose(TfliteBuilder& builder, const TfliteOperation& operation) {
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  const auto order = builder.integers(operation, 1, "the order of the axes");
  read_order(order, rank, operation.where);
  int value = builder.channels_last(operation, builder.real(operation, 0), rank);
  value = builder.emit(operation, "Transpose", {value}, {{"perm", order}});
  builder.finish(operation, builder.channels_first(operation, value, rank));
}

void softmax(TfliteBuilder& builder, const TfliteOperation& operation) {
  const float beta = options<tflite::SoftmaxOptions>(operation).beta();
  if (std::abs(beta - 1) > 0)
    unsupported("a Softmax with a factor is not supported", operation, std::to_string(beta), "use beta 1");
  const std::int64_t axis = builder.axis(-1, builder.rank(*operation.inputs[0]), operation.where);
  // The host computes it in float32, so its result has no quantisation.
  builder.finish_real(operation, builder.emit(operation, "Softmax", {builder.real(operation, 0)}, {{"axis", axis}}));
}

void pad(TfliteBuilder& builder, const TfliteOperation& operation) {
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  const auto given = builder.integers(operation, 1, "the padding");
  if (given.size() != 2 * rank) damaged("the padding does not fit the rank", operation, to_string(given));
  std::vector<std::int64_t> pads(2 * rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::size_t>(builder.axis(static_cast<std::int64_t>(i), rank, operation.where));
    pads[axis] = given[2 * i];
    pads[axis + rank] = given[2 * i + 1];
  }
  float value = 0;
  if (operation.has_input(2)) {
    const std::size_t tensor = *operation.inputs[2];
    if (!builder.file().is_constant(tensor))
      unsupported("the padding value is not constant", operation, builder.file().name(tensor), "pad with a constant");
    const auto values = builder.file().constant(tensor).as_floats();
    const auto quantisation = builder.file().quantisation(tensor);
    if (values.size() != 1) damaged("the padding value is no scalar", operation, std::to_string(values.size()));
    value = quantisation ? quantisation->scale[0] * (values[0] - static_cast<float>(quantisation->zero[0])) : values[0];
  }
  builder.finish(operation,
                 builder.emit(operation, "Pad", {builder.real(operation, 0)}, {{"pads", pads}, {"value", value}}));
}

void mean(TfliteBuilder& builder, const TfliteOperation& operation) {
  const bool keep = options<tflite::ReducerOptions>(operation).keep_dims();
  const std::size_t rank = builder.rank(*operation.inputs[0]);
  std::vector<std::int64_t> axes;
  for (const std::int64_t axis : builder.integers(operation, 1, "the list of axes"))
    axes.push_back(builder.axis(axis, rank, operation.where));
  const int source = builder.real(operation, 0);
  builder.finish(operation,
                 builder.emit(operation, "ReduceMean", {source}, {{"axes", axes}, {"keepdims", std::int64_t{keep}}}));
}

/// Constants become what they stand for; activations have the value already.
void dequantise(TfliteBuilder& builder, const TfliteOperation& operation) {
  if (builder.file().type(operation.output) != ElementType::Float) damaged("the result is not float32", operation);
  builder.define_alias(operation);
}

/// Sparse constants are made dense where they are read.
void densify(TfliteBuilder& builder, const TfliteOperation& operation) {
  if (!builder.file().is_constant(*operation.inputs[0]))
    unsupported("the input is not constant", operation, builder.file().name(*operation.inputs[0]),
                "export constant weights");
  builder.define_alias(operation);
}

void quantise(TfliteBuilder& builder, const TfliteOperation& operation) {
  builder.finish(operation, builder.real(operation, 0));
}

const std::vector<TfliteOperator>& table() {
  static const std::vector<TfliteOperator> operators = {
      {0, "ADD", 2, 2, add},
      {1, "AVERAGE_POOL_2D", 1, 1, average_pool},
      {2, "CONCATENATION", 1, AnyNumber, concatenate},
      {3, "CONV_2D", 2, 3, convolution},
      {4, "DEPTHWISE_CONV_2D", 2, 3, depthwise_convolution},
      {5, "DEPTH_TO_SPACE", 1, 1, tflite_conversions::depth_to_space},
      {6, "DEQUANTIZE", 1, 1, dequantise},
      {8, "FLOOR", 1, 1, tflite_conversions::floor},
      {9, "FULLY_CONNECTED", 2, 3, fully_connected},
      {14, "LOGISTIC", 1, 1, tflite_conversions::logistic},
      {17, "MAX_POOL_2D", 1, 1, max_pool},
      {18, "MUL", 2, 2, multiply},
      {19, "RELU", 1, 1, relu},
      {20, "RELU_N1_TO_1", 1, 1, relu_minus_one_to_one},
      {21, "RELU6", 1, 1, relu_six},
      {22, "RESHAPE", 1, 2, reshape},
      {23, "RESIZE_BILINEAR", 2, 2, tflite_conversions::resize_bilinear},
      {25, "SOFTMAX", 1, 1, softmax},
      {26, "SPACE_TO_DEPTH", 1, 1, tflite_conversions::space_to_depth},
      {28, "TANH", 1, 1, tflite_conversions::hyperbolic_tangent},
      {34, "PAD", 2, 2, pad},
      {39, "TRANSPOSE", 2, 2, transpose},
      {40, "MEAN", 2, 2, mean},
      {41, "SUB", 2, 2, subtract},
      {42, "DIV", 2, 2, divide},
      {43, "SQUEEZE", 1, 1, reshape_to_output},
      {45, "STRIDED_SLICE", 4, 4, tflite_conversions::strided_slice},
      {47, "EXP", 1, 1, tflite_conversions::exponential},
      {49, "SPLIT", 2, 2, tflite_conversions::split, true},
      {54, "PRELU", 2, 2, tflite_conversions::slope_relu},
      {55, "MAXIMUM", 2, 2, tflite_conversions::maximum},
      {57, "MINIMUM", 2, 2, tflite_conversions::minimum},
      {59, "NEG", 1, 1, tflite_conversions::negate},
      {60, "PADV2", 3, 3, pad},
      {65, "SLICE", 3, 3, tflite_conversions::slice},
      {66, "SIN", 1, 1, tflite_conversions::sine},
      {67, "TRANSPOSE_CONV", 3, 4, tflite_conversions::transposed_convolution},
      {70, "EXPAND_DIMS", 2, 2, reshape_to_output},
      {73, "LOG", 1, 1, tflite_conversions::logarithm},
      {74, "SUM", 2, 2, tflite_conversions::sum},
      {75, "SQRT", 1, 1, tflite_conversions::square_root},
      {76, "RSQRT", 1, 1, tflite_conversions::reciprocal_root},
      {82, "REDUCE_MAX", 2, 2, tflite_conversions::largest},
      {89, "REDUCE_MIN", 2, 2, tflite_conversions::least},
      {92, "SQUARE", 1, 1, tflite_conversions::square},
      {97, "RESIZE_NEAREST_NEIGHBOR", 2, 2, tflite_conversions::resize_nearest},
      {98, "LEAKY_RELU", 1, 1, tflite_conversions::leaky_relu},
      {100, "MIRROR_PAD", 2, 2, tflite_conversions::mirror_pad},
      {101, "ABS", 1, 1, tflite_conversions::absolute},
      {102, "SPLIT_V", 3, 3, tflite_conversions::split_by_sizes, true},
      {104, "CEIL", 1, 1, tflite_conversions::ceiling},
      {108, "COS", 1, 1, tflite_conversions::cosine},
      {111, "ELU", 1, 1, tflite_conversions::exponential_linear},
      {114, "QUANTIZE", 1, 1, quantise},
      {117, "HARD_SWISH", 1, 1, tflite_conversions::hard_swish},
      {124, "DENSIFY", 1, 1, densify},
      {152, "RELU_0_TO_1", 1, 1, relu_zero_to_one},
  };
  return operators;
}

}  // namespace

const TfliteOperator* find_tflite_operator(std::int32_t number) {
  const auto found =
      std::find_if(table().begin(), table().end(), [&](const TfliteOperator& entry) { return entry.number == number; });
  return found == table().end() ? nullptr : &*found;
}

std::string supported_tflite_operators() {
  std::string text;
  for (const TfliteOperator& entry : table()) text.append(text.empty() ? "" : " ").append(entry.name);
  return text;
}

}  // namespace espalier::model

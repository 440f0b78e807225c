// Activations and elementwise operators of TensorFlow Lite files.
#include "model/tflite_builder.hpp"
#include "model/tflite_conversions.hpp"

namespace espalier::model::tflite_conversions {
namespace {

void unary(TfliteBuilder& builder, const TfliteOperation& operation, const char* op, Attributes attributes = {}) {
  builder.finish(operation, builder.emit(operation, op, {builder.real(operation, 0)}, std::move(attributes)));
}

void binary(TfliteBuilder& builder, const TfliteOperation& operation, const char* op) {
  const std::size_t rank = std::max(builder.rank(*operation.inputs[0]), builder.rank(*operation.inputs[1]));
  const int first = builder.operand(operation, 0, rank), second = builder.operand(operation, 1, rank);
  builder.finish(operation, builder.emit(operation, op, {first, second}));
}

}  // namespace

void logistic(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Sigmoid"); }
void hyperbolic_tangent(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Tanh"); }
void hard_swish(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "HardSwish"); }
void absolute(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Abs"); }
void negate(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Neg"); }
void exponential(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Exp"); }
void logarithm(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Log"); }
void square_root(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Sqrt"); }
void floor(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Floor"); }
void ceiling(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Ceil"); }
void sine(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Sin"); }
void cosine(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Cos"); }
void exponential_linear(TfliteBuilder& builder, const TfliteOperation& operation) { unary(builder, operation, "Elu"); }
void reciprocal_root(TfliteBuilder& builder, const TfliteOperation& operation) {
  const int root = builder.emit(operation, "Sqrt", {builder.real(operation, 0)});
  builder.finish(operation, builder.emit(operation, "Reciprocal", {root}));
}
void square(TfliteBuilder& builder, const TfliteOperation& operation) {
  const int source = builder.real(operation, 0);
  builder.finish(operation, builder.emit(operation, "Mul", {source, source}));
}

void leaky_relu(TfliteBuilder& builder, const TfliteOperation& operation) {
  const auto* given = operation.entry->builtin_options_as<tflite::LeakyReluOptions>();
  if (given == nullptr)
    throw Error(ErrorCode::Model, "the options of the operator are missing", operation.where, {},
                "export the model again");
  unary(builder, operation, "LeakyRelu", {{"alpha", given->alpha()}});
}

/// The slope of every channel, as the file has it behind height and width.
void slope_relu(TfliteBuilder& builder, const TfliteOperation& operation) { binary(builder, operation, "PRelu"); }
void maximum(TfliteBuilder& builder, const TfliteOperation& operation) { binary(builder, operation, "Max"); }
void minimum(TfliteBuilder& builder, const TfliteOperation& operation) { binary(builder, operation, "Min"); }

}  // namespace espalier::model::tflite_conversions

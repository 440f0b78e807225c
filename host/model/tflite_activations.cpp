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

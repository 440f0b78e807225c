// Conversions of single operators that have files of their own; tflite_operators.cpp lists them with their numbers.
#pragma once

namespace espalier::model {

class TfliteBuilder;
struct TfliteOperation;

namespace tflite_conversions {

// tflite_activations.cpp
void logistic(TfliteBuilder& builder, const TfliteOperation& operation);
void hyperbolic_tangent(TfliteBuilder& builder, const TfliteOperation& operation);
void hard_swish(TfliteBuilder& builder, const TfliteOperation& operation);
void absolute(TfliteBuilder& builder, const TfliteOperation& operation);
void negate(TfliteBuilder& builder, const TfliteOperation& operation);
void exponential(TfliteBuilder& builder, const TfliteOperation& operation);
void logarithm(TfliteBuilder& builder, const TfliteOperation& operation);
void square_root(TfliteBuilder& builder, const TfliteOperation& operation);
void reciprocal_root(TfliteBuilder& builder, const TfliteOperation& operation);
void square(TfliteBuilder& builder, const TfliteOperation& operation);
void floor(TfliteBuilder& builder, const TfliteOperation& operation);
void ceiling(TfliteBuilder& builder, const TfliteOperation& operation);
void sine(TfliteBuilder& builder, const TfliteOperation& operation);
void cosine(TfliteBuilder& builder, const TfliteOperation& operation);
void exponential_linear(TfliteBuilder& builder, const TfliteOperation& operation);
void leaky_relu(TfliteBuilder& builder, const TfliteOperation& operation);
void slope_relu(TfliteBuilder& builder, const TfliteOperation& operation);
void maximum(TfliteBuilder& builder, const TfliteOperation& operation);
void minimum(TfliteBuilder& builder, const TfliteOperation& operation);

// tflite_moves.cpp
void depth_to_space(TfliteBuilder& builder, const TfliteOperation& operation);
void space_to_depth(TfliteBuilder& builder, const TfliteOperation& operation);
void split(TfliteBuilder& builder, const TfliteOperation& operation);
void split_by_sizes(TfliteBuilder& builder, const TfliteOperation& operation);
void mirror_pad(TfliteBuilder& builder, const TfliteOperation& operation);
void sum(TfliteBuilder& builder, const TfliteOperation& operation);
void largest(TfliteBuilder& builder, const TfliteOperation& operation);
void least(TfliteBuilder& builder, const TfliteOperation& operation);

// tflite_resampling.cpp
void resize_bilinear(TfliteBuilder& builder, const TfliteOperation& operation);
void depth_to_space(TfliteBuilder& builder, const TfliteOperation& operation);
void resize_nearest(TfliteBuilder& builder, const TfliteOperation& operation);
void slice(TfliteBuilder& builder, const TfliteOperation& operation);
void strided_slice(TfliteBuilder& builder, const TfliteOperation& operation);
void transposed_convolution(TfliteBuilder& builder, const TfliteOperation& operation);

}  // namespace tflite_conversions
}  // namespace espalier::model

// Quantised forms: integers, exact up to the one rounding (ties to even) of each result.
#include <algorithm>
#include <cmath>

#include "cpu/operators/convolution.hpp"
#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/matrix.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// The nearest integer, ties to even, plus the zero point, in the range of int8 or uint8.
std::int64_t saturate(double value, std::int64_t zero, DataType type) {
  const double least = model::is_unsigned(type) ? 0 : -128, most = model::is_unsigned(type) ? 255 : 127;
  if (std::isnan(value)) return zero;
  return static_cast<std::int64_t>(std::clamp(std::nearbyint(value) + static_cast<double>(zero), least, most));
}

/// As the definition divides, in float32.
double quotient(double value, double scale) { return model::round_to(DataType::Float32, value / scale); }

/// For every element of `shape` the position of its parameter: one for all, or one per index of `axis`.
Integers parameter_positions(const Call& call, const TypedTensor& parameter, const Shape& shape, std::int64_t axis) {
  if (parameter.size() == 1) return broadcast_positions({1}, shape.empty() ? Shape{1} : shape);
  Shape along(shape.size(), 1);
  along[call.axis(axis, shape.size())] = static_cast<std::int64_t>(parameter.size());
  call.require(parameter.shape.size() == 1 && broadcast(call, {along, shape}) == shape,
               "there is not one parameter per index of the axis", parameter.shape);
  return broadcast_positions(along, shape);
}

/// The tensor minus its zero points, one or one per index of `axis`; without `index`, the tensor. int64.
TypedTensor centred(const Call& call, const TypedTensor& tensor, std::size_t index, std::int64_t axis) {
  Integers values = tensor.integers();
  if (call.has(index)) {
    const TypedTensor& zeros = call.input(index);
    const Integers positions = parameter_positions(call, zeros, tensor.shape, axis);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] -= zeros.integers()[static_cast<std::size_t>(positions[i])];
  }
  return {DataType::Int64, tensor.shape, std::move(values)};
}

Results quantise(const Call& call) {
  const TypedTensor& input = call.input(0);
  const TypedTensor real = model::convert(input, DataType::Float64);
  const Integers scales = parameter_positions(call, call.input(1), input.shape, call.integer("axis", 1));
  Integers values;
  for (std::size_t i = 0; i < real.size(); ++i) {
    const auto parameter = static_cast<std::size_t>(scales[i]);
    std::int64_t zero = 0;
    if (call.has(2)) {
      call.require(call.input(2).size() == call.input(1).size(), "there is not one zero point per scale");
      zero = call.input(2).integers()[parameter];
    }
    values.push_back(saturate(quotient(real.reals()[i], call.input(1).reals()[parameter]), zero, call.output_type(0)));
  }
  return {{call.output_type(0), input.shape, std::move(values)}};
}

Results dequantise(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::int64_t axis = call.integer("axis", 1);
  const TypedTensor numbers = centred(call, input, 2, axis);
  const Integers scales = parameter_positions(call, call.input(1), input.shape, axis);
  Reals values;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    values.push_back(static_cast<double>(numbers.integers()[i]) *
                     call.input(1).reals()[static_cast<std::size_t>(scales[i])]);
  return {model::real_tensor(DataType::Float32, input.shape, std::move(values))};
}

/// uint8 over the range of the input, which is widened to hold zero.
Results dynamic_quantise(const Call& call) {
  const TypedTensor& input = call.input(0);
  double least = 0, most = 0;
  for (const double x : input.reals()) {
    least = std::min(least, x);
    most = std::max(most, x);
  }
  const double scale = most == least ? 1.0 : model::round_to(DataType::Float32, (most - least) / 255);
  const std::int64_t zero = saturate(quotient(-least, scale), 0, DataType::UInt8);
  Integers values;
  for (const double x : input.reals()) values.push_back(saturate(quotient(x, scale), zero, DataType::UInt8));
  return {{DataType::UInt8, input.shape, std::move(values)},
          {DataType::Float32, {}, Reals{scale}},
          {DataType::UInt8, {}, Integers{zero}}};
}

Results convolution_of_integers(const Call& call) {
  return {
      convolve(call, centred(call, call.input(0), 2, 0), centred(call, call.input(1), 3, 0), nullptr, DataType::Int32)};
}

Results product_of_integers(const Call& call) {
  return {
      matrix_product(call, centred(call, call.input(0), 2, -2), centred(call, call.input(1), 3, -1), DataType::Int32)};
}

/// sums * (scale of the input * scale of the weights / scale of the result), per index of `axis` of the result.
TypedTensor requantise(const Call& call, const TypedTensor& sums, std::int64_t axis) {
  const TypedTensor& weights = call.input(4);
  const Integers positions = parameter_positions(call, weights, sums.shape, axis);
  const double ratio = call.scalar(1, 1.0) / call.scalar(6, 1.0);
  const std::int64_t zero = call.integer_scalar(7, 0);
  const DataType type = call.input(7).type;
  Integers values;
  for (std::size_t i = 0; i < sums.size(); ++i)
    values.push_back(saturate(
        static_cast<double>(sums.integers()[i]) * ratio * weights.reals()[static_cast<std::size_t>(positions[i])], zero,
        type));
  return {type, sums.shape, std::move(values)};
}

Results quantised_convolution(const Call& call) {
  const TypedTensor sums = convolve(call, centred(call, call.input(0), 2, 0), centred(call, call.input(3), 5, 0),
                                    call.has(8) ? &call.input(8) : nullptr, DataType::Int64);
  return {requantise(call, sums, 1)};
}

Results quantised_product(const Call& call) {
  const TypedTensor sums =
      matrix_product(call, centred(call, call.input(0), 2, -2), centred(call, call.input(3), 5, -1), DataType::Int64);
  return {requantise(call, sums, -1)};
}

}  // namespace

Kernels quantised_kernels() {
  return {{"ConvInteger", convolution_of_integers},
          {"DequantizeLinear", dequantise},
          {"DynamicQuantizeLinear", dynamic_quantise},
          {"MatMulInteger", product_of_integers},
          {"QLinearConv", quantised_convolution},
          {"QLinearMatMul", quantised_product},
          {"QuantizeLinear", quantise}};
}

}  // namespace espalier::cpu::operators

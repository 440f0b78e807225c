// Functions of one element.
#include <algorithm>
#include <cmath>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

Kernel real_function(double (*function)(double)) {
  return [function](const Call& call) { return std::vector{map_reals(call.input(0), function)}; };
}

Kernel number_function(double (*real)(double), std::int64_t (*integer)(std::int64_t)) {
  return [real, integer](const Call& call) {
    const TypedTensor& input = call.input(0);
    return std::vector{model::is_real(input.type) ? map_reals(input, real) : map_integers(input, integer)};
  };
}

/// Functions with the attributes alpha and beta (or gamma).
Kernel shaped_function(double alpha, const char* second, double beta, double (*function)(double, double, double)) {
  return [=](const Call& call) {
    const double a = call.real("alpha", alpha), b = call.real(second, beta);
    return std::vector{map_reals(call.input(0), [&](double x) { return function(x, a, b); })};
  };
}

/// A truth value of every real number.
template <typename Test>
std::vector<TypedTensor> test_reals(const Call& call, Test&& test) {
  Integers values;
  for (const double value : call.input(0).reals()) values.push_back(test(value) ? 1 : 0);
  return {{DataType::Bool, call.input(0).shape, std::move(values)}};
}

std::vector<TypedTensor> is_infinite(const Call& call) {
  const bool negative = call.integer("detect_negative", 1) != 0, positive = call.integer("detect_positive", 1) != 0;
  return test_reals(call, [&](double x) { return std::isinf(x) && (x < 0 ? negative : positive); });
}

std::vector<TypedTensor> shrink(const Call& call) {
  const double bias = call.real("bias", 0.0), threshold = call.real("lambd", 0.5);
  const auto function = [&](double x) { return x < -threshold ? x + bias : x > threshold ? x - bias : 0.0; };
  const TypedTensor& input = call.input(0);
  if (model::is_real(input.type)) return {map_reals(input, function)};
  return {
      map_integers(input, [&](std::int64_t x) { return model::to_integer(function(model::to_real(input.type, x))); })};
}

/// Held modulo 2^64, a uint64 may look negative; it is its own absolute value.
std::vector<TypedTensor> absolute(const Call& call) {
  const TypedTensor& input = call.input(0);
  if (model::is_real(input.type)) return {map_reals(input, [](double x) { return std::abs(x); })};
  if (model::is_unsigned(input.type)) return {input};
  return {map_integers(input, [](std::int64_t x) { return x < 0 ? subtract(0, x) : x; })};
}

std::vector<TypedTensor> sign_of(const Call& call) {
  const TypedTensor& input = call.input(0);
  if (model::is_real(input.type))
    return {map_reals(
        input, [](double x) { return std::isnan(x) ? x : static_cast<double>(x > 0) - static_cast<double>(x < 0); })};
  const bool positive = model::is_unsigned(input.type);
  return {map_integers(input, [&](std::int64_t x) -> std::int64_t { return x == 0 ? 0 : x > 0 || positive ? 1 : -1; })};
}

double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double hard_sigmoid(double x, double alpha, double beta) { return std::fmax(0.0, std::fmin(1.0, alpha * x + beta)); }

// Not-a-number stays what it is.
double relu(double x) { return x < 0 ? 0.0 : x; }

Kernels trigonometric_kernels() {
  return {{"Acos", real_function([](double x) { return std::acos(x); })},
          {"Acosh", real_function([](double x) { return std::acosh(x); })},
          {"Asin", real_function([](double x) { return std::asin(x); })},
          {"Asinh", real_function([](double x) { return std::asinh(x); })},
          {"Atan", real_function([](double x) { return std::atan(x); })},
          {"Atanh", real_function([](double x) { return std::atanh(x); })},
          {"Cos", real_function([](double x) { return std::cos(x); })},
          {"Cosh", real_function([](double x) { return std::cosh(x); })},
          {"Sin", real_function([](double x) { return std::sin(x); })},
          {"Sinh", real_function([](double x) { return std::sinh(x); })},
          {"Tan", real_function([](double x) { return std::tan(x); })},
          {"Tanh", real_function([](double x) { return std::tanh(x); })}};
}

}  // namespace

Kernels activation_kernels() {
  Kernels kernels = {
      {"Abs", absolute},
      {"Ceil", real_function([](double x) { return std::ceil(x); })},
      {"Celu",
       shaped_function(1.0, "beta", 0.0, [](double x, double a, double) { return x < 0 ? a * std::expm1(x / a) : x; })},
      {"Elu",
       shaped_function(1.0, "beta", 0.0, [](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; })},
      {"Erf", real_function([](double x) { return std::erf(x); })},
      {"Exp", real_function([](double x) { return std::exp(x); })},
      {"Floor", real_function([](double x) { return std::floor(x); })},
      {"HardSigmoid", shaped_function(0.2F, "beta", 0.5, hard_sigmoid)},
      {"HardSwish", real_function([](double x) { return x * hard_sigmoid(x, 1.0 / 6, 0.5); })},
      {"IsInf", is_infinite},
      {"IsNaN", [](const Call& call) { return test_reals(call, [](double x) { return std::isnan(x); }); }},
      {"LeakyRelu", shaped_function(0.01F, "beta", 0.0, [](double x, double a, double) { return x < 0 ? a * x : x; })},
      {"Log", real_function([](double x) { return std::log(x); })},
      {"Neg", number_function([](double x) { return -x; }, [](std::int64_t x) { return subtract(0, x); })},
      {"Not",
       [](const Call& call) {
         return std::vector{map_integers(call.input(0), [](std::int64_t x) { return x == 0 ? 1 : 0; })};
       }},
      {"Reciprocal", real_function([](double x) { return 1 / x; })},
      {"Relu", number_function(relu, [](std::int64_t x) { return std::max<std::int64_t>(x, 0); })},
      {"Round", real_function([](double x) { return std::nearbyint(x); })},
      {"Selu", shaped_function(1.67326319217681884765625, "gamma", 1.05070102214813232421875,
                               [](double x, double a, double g) { return g * (x < 0 ? a * std::expm1(x) : x); })},
      {"Shrink", shrink},
      {"Sigmoid", real_function(sigmoid)},
      {"Sign", sign_of},
      {"Softplus", real_function(softplus)},
      {"Softsign", real_function([](double x) { return x / (1 + std::abs(x)); })},
      {"Sqrt", real_function([](double x) { return std::sqrt(x); })},
      {"ThresholdedRelu",
       shaped_function(1.0, "beta", 0.0, [](double x, double a, double) { return x > a ? x : 0.0; })},
  };
  for (auto& entry : trigonometric_kernels()) kernels.push_back(std::move(entry));
  return kernels;
}

}  // namespace espalier::cpu::operators

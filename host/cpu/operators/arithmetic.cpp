// Arithmetic, comparison and logic of two or more tensors with broadcasting; limits and conversions.
#include <bit>
#include <cmath>
#include <limits>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

Kernel binary(RealPair reals, IntegerPair integers) {
  return [=](const Call& call) { return Results{combine(call, call.input(0), call.input(1), reals, integers)}; };
}

double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }

std::int64_t divide(std::int64_t a, std::int64_t b, DataType type) {
  if (type == DataType::UInt64)
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) / static_cast<std::uint64_t>(b));
  return b == -1 ? subtract(0, a) : a / b;
}

std::int64_t remainder(std::int64_t a, std::int64_t b, DataType type) {
  if (type == DataType::UInt64)
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) % static_cast<std::uint64_t>(b));
  return b == -1 ? 0 : a % b;
}

void require_divisors(const Call& call) {
  const TypedTensor& divisors = call.input(1);
  if (model::is_real(divisors.type)) return;
  for (const std::int64_t value : divisors.integers()) call.require(value != 0, "an integer is divided by zero");
}

Results division(const Call& call) {
  require_divisors(call);
  return {combine(
      call, call.input(0), call.input(1), [](double a, double b) { return a / b; }, divide)};
}

/// Truncating with the attribute fmod; else the result has the sign of the divisor.
Results modulo(const Call& call) {
  require_divisors(call);
  const bool truncating = call.integer("fmod", 0) != 0;
  call.require(truncating || !model::is_real(call.input(0).type), "real numbers need the attribute fmod");
  const auto integers = [&](std::int64_t a, std::int64_t b, DataType type) {
    const std::int64_t rest = remainder(a, b, type);
    return !truncating && type != DataType::UInt64 && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  };
  return {combine(
      call, call.input(0), call.input(1), [](double a, double b) { return std::fmod(a, b); }, integers)};
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  std::int64_t result = 1;
  for (; exponent > 0; exponent >>= 1, base = multiply(base, base))
    if ((exponent & 1) != 0) result = multiply(result, base);
  return result;
}

/// To bfloat16 the low bits are cut off: operator sets up to 17 leave the rounding open, and their tests cut.
TypedTensor cast(const TypedTensor& tensor, DataType type) {
  if (type != DataType::BFloat16 || !model::is_real(tensor.type)) return model::convert(tensor, type);
  Reals values = tensor.reals();
  for (double& value : values)
    if (!std::isnan(value))
      value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) & 0xFFFF0000U);
  return {type, tensor.shape, std::move(values)};
}

/// The result has the type of the base.
Results power(const Call& call) {
  const TypedTensor& base = call.input(0);
  const TypedTensor& exponent = call.input(1);
  if (!model::is_real(base.type) && !model::is_real(exponent.type))
    return {combine(call, base, reshaped({base.type, {}, exponent.values}, exponent.shape), {},
                    [](std::int64_t a, std::int64_t b, DataType) { return integer_power(a, b); })};
  const TypedTensor result =
      combine(call, model::convert(base, DataType::Float64), model::convert(exponent, DataType::Float64),
              [](double a, double b) { return std::pow(a, b); }, {});
  return {model::convert(result, base.type)};
}

Kernel comparison(bool (*reals)(double, double), bool (*integers)(std::int64_t, std::int64_t, DataType)) {
  return [=](const Call& call) {
    const TypedTensor& a = call.input(0);
    TypedTensor result = combine(
        call, a, call.input(1), [&](double x, double y) { return reals(x, y) ? 1.0 : 0.0; },
        [&](std::int64_t x, std::int64_t y, DataType type) { return static_cast<std::int64_t>(integers(x, y, type)); });
    return Results{model::convert(result, DataType::Bool)};
  };
}

Kernel variadic(RealPair reals, IntegerPair integers) {
  return [=](const Call& call) {
    TypedTensor result = call.input(0);
    for (std::size_t i = 1; i < call.inputs(); ++i) result = combine(call, result, call.input(i), reals, integers);
    return Results{std::move(result)};
  };
}

/// Sum and mean round once, at the end.
TypedTensor exact_sum(const Call& call) {
  TypedTensor result = model::convert(call.input(0), DataType::Float64);
  for (std::size_t i = 1; i < call.inputs(); ++i)
    result = combine(call, result, model::convert(call.input(i), DataType::Float64),
                     [](double a, double b) { return a + b; }, {});
  return result;
}

Results mean(const Call& call) {
  const auto count = static_cast<double>(call.inputs());
  return {model::convert(map_reals(exact_sum(call), [&](double x) { return x / count; }), call.input(0).type)};
}

/// max(min, x) first, then min(max, x), as the definition orders them.
Results clip(const Call& call) {
  const TypedTensor& input = call.input(0);
  TypedTensor result = input;
  const auto bound = [&](std::size_t index, const char* attribute) -> std::optional<TypedTensor> {
    if (call.has(index)) {
      call.require(call.input(index).size() == 1, "a limit is not a single value", call.input(index).shape);
      return reshaped(call.input(index), {});
    }
    if (call.has_attribute(attribute)) return model::real_tensor(input.type, {}, {call.real(attribute, 0.0)});
    return {};
  };
  if (const auto least = bound(1, "min"))
    result = combine(call, result, *least, larger,
                     [](std::int64_t a, std::int64_t b, DataType type) { return less(type, a, b) ? b : a; });
  if (const auto most = bound(2, "max"))
    result = combine(call, result, *most, smaller,
                     [](std::int64_t a, std::int64_t b, DataType type) { return less(type, b, a) ? b : a; });
  return {std::move(result)};
}

/// Zeros come in where a shift is as wide as the type or wider.
Results shift(const Call& call) {
  const bool left = call.text("direction", "LEFT") == "LEFT";
  const auto integers = [&](std::int64_t value, std::int64_t by, DataType) -> std::int64_t {
    if (by < 0 || by > 63) return 0;
    const auto bits = static_cast<std::uint64_t>(value);
    return static_cast<std::int64_t>(left ? bits << by : bits >> by);
  };
  return {combine(call, call.input(0), call.input(1), {}, integers)};
}

Results where(const Call& call) {
  const TypedTensor &a = call.input(1), &b = call.input(2);
  const Shape shape = broadcast(call, {call.input(0).shape, a.shape, b.shape});
  const Integers condition = broadcast_positions(call.input(0).shape, shape);
  const Integers from_a = broadcast_positions(a.shape, shape), from_b = broadcast_positions(b.shape, shape);
  return {std::visit(
      [&](const auto& left) {
        using Values = std::decay_t<decltype(left)>;
        const auto& right = std::get<Values>(b.values);
        Values values;
        values.reserve(from_a.size());
        for (std::size_t i = 0; i < from_a.size(); ++i)
          values.push_back(call.input(0).integers()[static_cast<std::size_t>(condition[i])] != 0
                               ? left[static_cast<std::size_t>(from_a[i])]
                               : right[static_cast<std::size_t>(from_b[i])]);
        return TypedTensor{a.type, shape, std::move(values)};
      },
      a.values)};
}

/// The slope broadcasts to the input.
Results prelu(const Call& call) {
  call.require(broadcast(call, {call.input(0).shape, call.input(1).shape}) == call.input(0).shape,
               "the slope is larger than the input", call.input(1).shape);
  return {combine(
      call, call.input(0), call.input(1), [](double x, double slope) { return x < 0 ? slope * x : x; },
      [](std::int64_t x, std::int64_t slope, DataType type) {
        return !model::is_unsigned(type) && x < 0 ? multiply(slope, x) : x;
      })};
}

Kernels logic_kernels() {
  const auto logic = [](IntegerPair integers) { return binary({}, std::move(integers)); };
  return {
      {"And", logic([](std::int64_t a, std::int64_t b, DataType) { return a & b; })},
      {"Or", logic([](std::int64_t a, std::int64_t b, DataType) { return a | b; })},
      {"Xor", logic([](std::int64_t a, std::int64_t b, DataType) { return a ^ b; })},
      {"Equal", comparison([](double a, double b) { return a == b; },
                           [](std::int64_t a, std::int64_t b, DataType) { return a == b; })},
      {"Greater", comparison([](double a, double b) { return a > b; },
                             [](std::int64_t a, std::int64_t b, DataType type) { return less(type, b, a); })},
      {"GreaterOrEqual", comparison([](double a, double b) { return a >= b; },
                                    [](std::int64_t a, std::int64_t b, DataType type) { return !less(type, a, b); })},
      {"Less", comparison([](double a, double b) { return a < b; },
                          [](std::int64_t a, std::int64_t b, DataType type) { return less(type, a, b); })},
      {"LessOrEqual", comparison([](double a, double b) { return a <= b; },
                                 [](std::int64_t a, std::int64_t b, DataType type) { return !less(type, b, a); })}};
}

}  // namespace

Kernels arithmetic_kernels() {
  const auto ignoring_type = [](std::int64_t (*function)(std::int64_t, std::int64_t)) -> IntegerPair {
    return [function](std::int64_t a, std::int64_t b, DataType) { return function(a, b); };
  };
  Kernels kernels = {
      {"Add", binary([](double a, double b) { return a + b; }, ignoring_type(add))},
      {"BitShift", shift},
      {"Cast", [](const Call& call) { return Results{cast(call.input(0), call.output_type(0))}; }},
      {"CastLike", [](const Call& call) { return Results{cast(call.input(0), call.input(1).type)}; }},
      {"Clip", clip},
      {"Div", division},
      {"Max", variadic(larger, [](std::int64_t a, std::int64_t b, DataType type) { return less(type, a, b) ? b : a; })},
      {"Mean", mean},
      {"Min",
       variadic(smaller, [](std::int64_t a, std::int64_t b, DataType type) { return less(type, b, a) ? b : a; })},
      {"Mod", modulo},
      {"Mul", binary([](double a, double b) { return a * b; }, ignoring_type(multiply))},
      {"Pow", power},
      {"PRelu", prelu},
      {"Sub", binary([](double a, double b) { return a - b; }, ignoring_type(subtract))},
      {"Sum", [](const Call& call) { return Results{model::convert(exact_sum(call), call.input(0).type)}; }},
      {"Where", where},
  };
  for (auto& entry : logic_kernels()) kernels.push_back(std::move(entry));
  return kernels;
}

}  // namespace espalier::cpu::operators

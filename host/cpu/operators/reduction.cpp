// Reductions over axes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// Which result every element of the input goes to.
struct Reduction {
  Shape shape;       // of the result, as the caller wants it
  Integers targets;  // per element of the input
  std::size_t results = 1;
  bool nothing = false;  // no axes are reduced, and the attribute says that the input is the result
};

Reduction plan_reduction(const Call& call) {
  const Shape& shape = call.input(0).shape;
  Integers given = call.parameter(1, "axes", {});
  Reduction plan;
  if (given.empty()) {
    plan.nothing = call.integer("noop_with_empty_axes", 0) != 0;
    given.resize(shape.size());
    std::iota(given.begin(), given.end(), 0);
  }
  const std::vector<std::size_t> axes = call.axes(given, shape.size());
  const bool keep = call.integer("keepdims", 1) != 0;
  Shape kept = shape;
  for (const std::size_t axis : axes) kept[axis] = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (keep || !std::binary_search(axes.begin(), axes.end(), axis)) plan.shape.push_back(kept[axis]);
  plan.targets = broadcast_positions(kept, shape);
  plan.results = call.count(kept);
  return plan;
}

/// `step` folds an element into the accumulator of its result, `finish` gets the sum and the number of elements.
template <typename Values, typename Step, typename Finish>
Values fold(const Reduction& plan, const Values& input, typename Values::value_type start, Step&& step,
            Finish&& finish) {
  Values results(plan.results, start);
  std::vector<std::int64_t> counts(plan.results, 0);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto target = static_cast<std::size_t>(plan.targets[i]);
    results[target] = step(results[target], input[i], counts[target]++);
  }
  for (std::size_t i = 0; i < results.size(); ++i) results[i] = finish(results[i], counts[i]);
  return results;
}

/// Steps and finishes are written once for double and int64.
template <typename Step, typename Finish>
Kernel reduction(int start, Step step, Finish finish) {
  return [=](const Call& call) {
    const TypedTensor& input = call.input(0);
    const Reduction plan = plan_reduction(call);
    if (plan.nothing) return Results{input};
    if (model::is_real(input.type))
      return Results{model::real_tensor(input.type, plan.shape, fold(plan, input.reals(), start, step, finish))};
    return Results{
        model::integer_tensor(input.type, plan.shape, fold(plan, input.integers(), std::int64_t{start}, step, finish))};
  };
}

template <bool Largest>
Results extreme(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Reduction plan = plan_reduction(call);
  call.require(input.size() > 0 || plan.results == 0, "no element has no extreme", input.shape);
  const auto real = [](double a, double x, std::int64_t count) {
    return count == 0 || std::isnan(x) || (Largest ? x > a : x < a) ? x : a;
  };
  const auto integer = [&](std::int64_t a, std::int64_t x, std::int64_t count) {
    return count == 0 || (Largest ? less(input.type, a, x) : less(input.type, x, a)) ? x : a;
  };
  const auto same = [](auto a, std::int64_t) { return a; };
  if (model::is_real(input.type))
    return {model::real_tensor(input.type, plan.shape, fold(plan, input.reals(), 0.0, real, same))};
  return {model::integer_tensor(input.type, plan.shape, fold(plan, input.integers(), std::int64_t{0}, integer, same))};
}

/// The largest element is taken out, so that no power overflows.
Results log_sum_exp(const Call& call) {
  const TypedTensor& input = call.input(0);
  const Reduction plan = plan_reduction(call);
  const Reals& x = input.reals();
  Reals largest(plan.results, -std::numeric_limits<double>::infinity()), sums(plan.results, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    double& most = largest[static_cast<std::size_t>(plan.targets[i])];
    if (x[i] > most) most = x[i];
  }
  for (double& most : largest)
    if (!std::isfinite(most)) most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto target = static_cast<std::size_t>(plan.targets[i]);
    sums[target] += std::exp(x[i] - largest[target]);
  }
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = largest[i] + std::log(sums[i]);
  return {model::real_tensor(input.type, plan.shape, std::move(sums))};
}

/// The first extreme, or the last with select_last_index; not-a-number counts as the extreme.
template <bool Largest>
Results arg_extreme(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", 0), input.shape.size());
  const Lanes lanes(input.shape, axis);
  call.require(lanes.length > 0 || input.size() > 0, "no element has no extreme", input.shape);
  const bool last = call.integer("select_last_index", 0) != 0;
  Integers result;
  std::visit(
      [&](const auto& values) {
        const auto before = [&](auto a, auto b) {
          if constexpr (std::is_same_v<decltype(a), double>)
            return !std::isnan(a) && (std::isnan(b) || (Largest ? a < b : b < a));
          else
            return Largest ? less(input.type, a, b) : less(input.type, b, a);
        };
        for (std::int64_t o = 0; o < lanes.outer; ++o)
          for (std::int64_t i = 0; i < lanes.inner; ++i) {
            const auto at = [&](std::int64_t k) {
              return values[static_cast<std::size_t>(lanes.position(o, i) + k * lanes.inner)];
            };
            std::int64_t best = 0;
            for (std::int64_t k = 1; k < lanes.length; ++k)
              if (before(at(best), at(k)) || (last && !before(at(k), at(best)))) best = k;
            result.push_back(best);
          }
      },
      input.values);
  Shape shape = input.shape;
  if (call.integer("keepdims", 1) != 0)
    shape[axis] = 1;
  else
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return {{DataType::Int64, std::move(shape), std::move(result)}};
}

/// Running sums along an axis.
Results cumulative_sum(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t axis = call.axis(call.integer_scalar(1, 0), input.shape.size());
  const bool exclusive = call.integer("exclusive", 0) != 0, reverse = call.integer("reverse", 0) != 0;
  const Lanes lanes(input.shape, axis);
  const auto run = [&](const auto& values) {
    std::decay_t<decltype(values)> result(values.size());
    for (std::int64_t o = 0; o < lanes.outer; ++o)
      for (std::int64_t i = 0; i < lanes.inner; ++i) {
        typename std::decay_t<decltype(values)>::value_type sum = 0;
        for (std::int64_t k = 0; k < lanes.length; ++k) {
          const std::int64_t step = reverse ? lanes.length - 1 - k : k;
          const auto at = static_cast<std::size_t>(lanes.position(o, i) + step * lanes.inner);
          const auto with = add(sum, values[at]);
          result[at] = exclusive ? sum : with;
          sum = with;
        }
      }
    return result;
  };
  if (model::is_real(input.type)) return {model::real_tensor(input.type, input.shape, run(input.reals()))};
  return {model::integer_tensor(input.type, input.shape, run(input.integers()))};
}

template <typename Number>
Number root(Number x) {
  return static_cast<Number>(std::sqrt(static_cast<double>(x)));
}

}  // namespace

Kernels reduction_kernels() {
  const auto sum = [](auto a, auto x, std::int64_t) { return add(a, x); };
  const auto sum_of_sizes = [](auto a, auto x, std::int64_t) { return x < 0 ? subtract(a, x) : add(a, x); };
  const auto sum_of_squares = [](auto a, auto x, std::int64_t) { return add(a, multiply(x, x)); };
  const auto product = [](auto a, auto x, std::int64_t) { return multiply(a, x); };
  const auto same = [](auto a, std::int64_t) { return a; };
  const auto average = [](auto a, std::int64_t count) {
    using Number = decltype(a);
    if constexpr (std::is_same_v<Number, std::int64_t>)
      return count == 0 ? Number{0} : a / count;
    else
      return a / static_cast<Number>(count);
  };
  return {{"ArgMax", arg_extreme<true>},
          {"ArgMin", arg_extreme<false>},
          {"CumSum", cumulative_sum},
          {"ReduceL1", reduction(0, sum_of_sizes, same)},
          {"ReduceL2", reduction(0, sum_of_squares, [](auto a, std::int64_t) { return root(a); })},
          {"ReduceLogSum",
           reduction(0, sum,
                     [](auto a, std::int64_t) { return static_cast<decltype(a)>(std::log(static_cast<double>(a))); })},
          {"ReduceLogSumExp", log_sum_exp},
          {"ReduceMax", extreme<true>},
          {"ReduceMean", reduction(0, sum, average)},
          {"ReduceMin", extreme<false>},
          {"ReduceProd", reduction(1, product, same)},
          {"ReduceSum", reduction(0, sum, same)},
          {"ReduceSumSquare", reduction(0, sum_of_squares, same)}};
}

}  // namespace espalier::cpu::operators

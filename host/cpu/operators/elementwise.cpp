#include "cpu/operators/elementwise.hpp"

#include "cpu/operators/indexing.hpp"

namespace espalier::cpu::operators {

TypedTensor map_reals(const TypedTensor& input, const std::function<double(double)>& function) {
  Reals values;
  values.reserve(input.size());
  for (const double value : input.reals()) values.push_back(function(value));
  return model::real_tensor(input.type, input.shape, std::move(values));
}

TypedTensor map_integers(const TypedTensor& input, const std::function<std::int64_t(std::int64_t)>& function) {
  Integers values;
  values.reserve(input.size());
  for (const std::int64_t value : input.integers()) values.push_back(function(value));
  return model::integer_tensor(input.type, input.shape, std::move(values));
}

TypedTensor combine(const Call& call, const TypedTensor& a, const TypedTensor& b, const RealPair& reals,
                    const IntegerPair& integers) {
  const Shape shape = broadcast(call, {a.shape, b.shape});
  const Integers from_a = broadcast_positions(a.shape, shape);
  const Integers from_b = broadcast_positions(b.shape, shape);
  const auto run = [&](const auto& left, const auto& right, const auto& function) {
    std::decay_t<decltype(left)> values;
    values.reserve(from_a.size());
    for (std::size_t i = 0; i < from_a.size(); ++i)
      values.push_back(function(left[static_cast<std::size_t>(from_a[i])], right[static_cast<std::size_t>(from_b[i])]));
    return values;
  };
  if (model::is_real(a.type)) return model::real_tensor(a.type, shape, run(a.reals(), b.reals(), reals));
  return model::integer_tensor(a.type, shape,
                               run(a.integers(), b.integers(), [&](auto x, auto y) { return integers(x, y, a.type); }));
}

}  // namespace espalier::cpu::operators

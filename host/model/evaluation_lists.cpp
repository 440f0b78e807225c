#include "model/evaluation_lists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/refusals.hpp"

namespace espalier::model {
namespace {

constexpr std::int64_t MostListed = 4096, MostRepeated = std::int64_t{1} << 26;

bool is_list(const Array& array) {
  return array.shape.size() <= 1 && array.size() >= 1 && static_cast<std::int64_t>(array.size()) <= MostListed;
}

bool is_integer(const Array& array) {
  return array.type() != ElementType::Float && array.type() != ElementType::Double;
}

/// Wraps as two's complement does.
std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::optional<Array> constant_of_shape(const Node& node, const Array& input) {
  if (!is_integer(input) || input.shape.size() > 1) return {};
  const Shape shape = input.as_integers();
  if (shape.size() > 8 || count_elements(shape, node.where()) > MostRepeated) return {};
  const auto count = static_cast<std::size_t>(count_elements(shape, node.where()));
  const auto found = node.attributes.find("value");
  if (found == node.attributes.end()) return Array{shape, std::vector<float>(count, 0.0F)};
  const auto* value = std::get_if<Array>(&found->second);
  if (value == nullptr || value->size() != 1) damaged("the value is not a single one", node);
  return Array{shape,
               std::visit([&](const auto& one) -> Array::Values { return std::decay_t<decltype(one)>(count, one[0]); },
                          value->values)};
}

/// One number of every input, or the same one again where an input has only one.
template <typename Number, typename Function>
std::vector<Number> combine(const std::vector<Number>& a, const std::vector<Number>& b, Function&& function) {
  std::vector<Number> result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = function(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  return result;
}

std::optional<Array::Values> integer_arithmetic(const Node& node, const Array& a, const Array& b) {
  const auto with = [&](auto function) -> Array::Values {
    std::vector<std::int64_t> results = combine(a.as_integers(), b.as_integers(), function);
    if (a.type() == ElementType::Int64) return results;
    std::vector<std::int32_t> narrow(results.size());
    std::transform(results.begin(), results.end(), narrow.begin(),
                   [](std::int64_t value) { return static_cast<std::int32_t>(value); });
    return narrow;
  };
  using I = std::int64_t;
  using U = std::uint64_t;
  if (node.op == "Add") return with([](I x, I y) { return wrapped(static_cast<U>(x) + static_cast<U>(y)); });
  if (node.op == "Sub") return with([](I x, I y) { return wrapped(static_cast<U>(x) - static_cast<U>(y)); });
  if (node.op == "Mul") return with([](I x, I y) { return wrapped(static_cast<U>(x) * static_cast<U>(y)); });
  if (node.op == "Max") return with([](I x, I y) { return std::max(x, y); });
  if (node.op == "Min") return with([](I x, I y) { return std::min(x, y); });
  if (node.op == "Div" || node.op == "Mod") {
    const bool floored = node.op == "Mod" && node.integer("fmod", 0) == 0;  // the result has the divisor's sign
    return with([&](I x, I y) {
      if (y == 0 || (y == -1 && x == std::numeric_limits<I>::min())) damaged("a division has no result", node);
      if (node.op == "Div") return x / y;
      const I rest = x % y;
      return floored && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
    });
  }
  return {};
}

std::optional<Array> arithmetic(const Node& node, const Array& a, const Array& b) {
  if (a.type() != b.type() || (a.size() != b.size() && a.size() != 1 && b.size() != 1)) return {};
  const Shape shape =
      a.shape.size() > b.shape.size() || (a.shape.size() == b.shape.size() && a.size() > b.size()) ? a.shape : b.shape;
  if (is_integer(a)) {
    if (a.type() != ElementType::Int32 && a.type() != ElementType::Int64) return {};
    std::optional<Array::Values> values = integer_arithmetic(node, a, b);
    if (!values) return {};
    return Array{shape, std::move(*values)};
  }
  const auto with = [&](auto function) { return Array{shape, combine(a.as_floats(), b.as_floats(), function)}; };
  if (node.op == "Add") return with([](float x, float y) { return x + y; });
  if (node.op == "Sub") return with([](float x, float y) { return x - y; });
  if (node.op == "Mul") return with([](float x, float y) { return x * y; });
  if (node.op == "Div") return with([](float x, float y) { return x / y; });
  return {};
}

/// float32, int32, int64 or bool.
std::optional<Array> cast(const Node& node, const Array& input) {
  switch (node.integer("to", 0)) {
    case 1:
      return Array{input.shape, input.as_floats()};
    case 6:
    case 7: {
      std::vector<std::int64_t> values;
      if (is_integer(input)) {
        values = input.as_integers();
      } else {
        for (const double value : input.as_doubles()) {
          if (!(std::abs(value) < 9e18)) damaged("a number has no integer", node, std::to_string(value));
          values.push_back(static_cast<std::int64_t>(value));
        }
      }
      if (node.integer("to", 0) == 7) return Array{input.shape, std::move(values)};
      std::vector<std::int32_t> narrow(values.size());
      std::transform(values.begin(), values.end(), narrow.begin(),
                     [](std::int64_t value) { return static_cast<std::int32_t>(value); });
      return Array{input.shape, std::move(narrow)};
    }
    case 9: {
      std::vector<char> values;
      for (const double value : input.as_doubles()) values.push_back(std::abs(value) > 0 ? 1 : 0);
      return Array{input.shape, std::move(values)};
    }
    default:
      return {};
  }
}

std::optional<Array> range(const Node& node, const std::vector<const Array*>& inputs) {
  if (inputs.size() != 3 || inputs[0]->type() != ElementType::Int64) return {};
  for (const Array* input : inputs)
    if (input->size() != 1 || input->type() != ElementType::Int64) return {};
  const std::int64_t start = inputs[0]->as_integers()[0], limit = inputs[1]->as_integers()[0],
                     step = inputs[2]->as_integers()[0];
  if (step == 0) damaged("the range has no end", node);
  std::vector<std::int64_t> values;
  for (std::int64_t value = start; step > 0 ? value < limit : value > limit;) {
    if (static_cast<std::int64_t>(values.size()) == MostListed) return {};
    values.push_back(value);
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  if (values.empty()) damaged("the range is empty", node);
  const auto count = static_cast<std::int64_t>(values.size());
  return Array{{count}, std::move(values)};
}

/// Of int64 lists of one size, as exporters write it around Expand.
std::optional<Array> where(const std::vector<const Array*>& inputs) {
  if (inputs.size() != 3 || inputs[0]->type() != ElementType::Bool || inputs[1]->type() != ElementType::Int64 ||
      inputs[2]->type() != ElementType::Int64)
    return {};
  const auto condition = inputs[0]->as_integers(), yes = inputs[1]->as_integers(), no = inputs[2]->as_integers();
  const std::size_t size = std::max({condition.size(), yes.size(), no.size()});
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < size; ++i) {
    for (const auto* list : {&condition, &yes, &no})
      if (list->size() != 1 && list->size() != size) return {};
    values.push_back(condition[condition.size() == 1 ? 0 : i] != 0 ? yes[yes.size() == 1 ? 0 : i]
                                                                   : no[no.size() == 1 ? 0 : i]);
  }
  return Array{{static_cast<std::int64_t>(size)}, std::move(values)};
}

std::optional<Array> compare(const Node& node, const Array& a, const Array& b) {
  if (!is_integer(a) || a.type() != b.type() || (a.size() != b.size() && a.size() != 1 && b.size() != 1)) return {};
  const auto with = [&](auto function) {
    const auto values = combine(a.as_integers(), b.as_integers(), function);
    return Array{a.size() > b.size() || (a.size() == b.size() && a.shape.size() >= b.shape.size()) ? a.shape : b.shape,
                 std::vector<char>(values.begin(), values.end())};
  };
  using I = std::int64_t;
  if (node.op == "Equal") return with([](I x, I y) { return I{x == y}; });
  if (node.op == "Less") return with([](I x, I y) { return I{x < y}; });
  if (node.op == "Greater") return with([](I x, I y) { return I{x > y}; });
  if (node.op == "LessOrEqual") return with([](I x, I y) { return I{x <= y}; });
  if (node.op == "GreaterOrEqual") return with([](I x, I y) { return I{x >= y}; });
  return {};
}

/// One number of all of a list of int64 numbers.
std::optional<Array> reduce(const Node& node, const Array& data) {
  if (data.type() != ElementType::Int64 || data.shape.size() != 1) return {};
  const std::vector<std::int64_t> values = data.as_integers();
  std::int64_t result = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto a = static_cast<std::uint64_t>(result), b = static_cast<std::uint64_t>(values[i]);
    if (node.op == "ReduceProd") result = wrapped(a * b);
    if (node.op == "ReduceSum") result = wrapped(a + b);
    if (node.op == "ReduceMax") result = std::max(result, values[i]);
    if (node.op == "ReduceMin") result = std::min(result, values[i]);
  }
  return Array{node.integer("keepdims", 1) != 0 ? Shape{1} : Shape{}, std::vector<std::int64_t>{result}};
}

bool is_reduction(const Node& node) {
  return node.op == "ReduceProd" || node.op == "ReduceSum" || node.op == "ReduceMax" || node.op == "ReduceMin";
}

}  // namespace

std::optional<Array> evaluate_list(const Node& node, const std::vector<const Array*>& inputs) {
  if (node.op == "ConstantOfShape") return constant_of_shape(node, *inputs[0]);
  if (node.op == "Cast") return cast(node, *inputs[0]);
  if (!std::all_of(inputs.begin(), inputs.end(), [](const Array* input) { return is_list(*input); })) return {};
  if (node.op == "Range") return range(node, inputs);
  if (node.op == "Where") return where(inputs);
  if (is_reduction(node) && node.integer("noop_with_empty_axes", 0) == 0) return reduce(node, *inputs[0]);
  if (node.op == "Neg" && inputs[0]->type() == ElementType::Int64) {
    std::vector<std::int64_t> values = inputs[0]->as_integers();
    for (std::int64_t& value : values) value = wrapped(0 - static_cast<std::uint64_t>(value));
    return Array{inputs[0]->shape, std::move(values)};
  }
  if ((node.op == "Floor" || node.op == "Ceil") && inputs[0]->type() == ElementType::Float) {
    std::vector<float> values = inputs[0]->as_floats();
    for (float& value : values) value = node.op == "Floor" ? std::floor(value) : std::ceil(value);
    return Array{inputs[0]->shape, std::move(values)};
  }
  if (inputs.size() != 2) return {};
  if (std::optional<Array> truths = compare(node, *inputs[0], *inputs[1])) return truths;
  return arithmetic(node, *inputs[0], *inputs[1]);
}

}  // namespace espalier::model

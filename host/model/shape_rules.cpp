// Questions of all rules; rules of operators that work element by element, reduce, or multiply matrices.
#include "model/shape_rules.hpp"

#include <algorithm>
#include <map>

#include "model/refusals.hpp"

namespace espalier::model {

const Shape& ShapeQuestions::shape(std::size_t input) const {
  if (!has(input)) damaged("a required input is missing", node_, std::to_string(input));
  return graph_.value(node_.inputs[input]).shape;
}

std::size_t ShapeQuestions::axis(std::int64_t value, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  if (value < -size || value >= size) damaged("the axis is out of range", node_, std::to_string(value));
  return static_cast<std::size_t>(value < 0 ? value + size : value);
}

const Array& ShapeQuestions::constant(std::size_t input) const {
  const Value& value = graph_.value(node_.inputs.at(input));
  if (!value.constant)
    unsupported("input " + std::to_string(input) + ", which decides the shape, is not constant", node_, value.name,
                "export with constant folding");
  return *value.constant;
}

std::vector<std::int64_t> ShapeQuestions::list(std::size_t input, const std::string& key) const {
  if (has(input)) return constant(input).as_integers();
  if (key.empty() || !node_.attributes.contains(key)) damaged("a list is missing", node_, key);
  return node_.integers(key, {});
}

std::vector<double> ShapeQuestions::reals(std::size_t input, const std::string& key) const {
  if (has(input)) return constant(input).as_doubles();
  const auto found = node_.attributes.find(key);
  const auto* values = found == node_.attributes.end() ? nullptr : std::get_if<std::vector<float>>(&found->second);
  if (values == nullptr) damaged("a list is missing", node_, key);
  return {values->begin(), values->end()};
}

Shape ShapeQuestions::per_axis(const char* key, std::size_t count, std::int64_t otherwise) const {
  Shape values = node_.integers(key, {});
  if (values.empty()) values.assign(count, otherwise);
  if (values.size() != count) damaged("the attribute does not fit", node_, key);
  for (const std::int64_t value : values)
    if (value < std::min<std::int64_t>(otherwise, 1) || value > 65535)
      damaged("the attribute is out of range", node_, key);
  return values;
}

Shape ShapeQuestions::broadcast(const Shape& a, const Shape& b) const {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) damaged("the shapes do not fit", node_, to_string(a) + " and " + to_string(b));
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

void ShapeQuestions::require(bool holds, const char* problem, const Shape& value) const {
  if (!holds) damaged(problem, node_, value.empty() ? std::string() : to_string(value));
}

void ShapeQuestions::refuse(const char* problem) const {
  unsupported(problem, node_, node_.op, "export with constant folding");
}

namespace {

using Shapes = std::vector<Shape>;

Shapes same(const ShapeQuestions& ask) { return {ask.shape(0)}; }

Shapes broadcast(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  for (std::size_t i = 1; i < ask.node().inputs.size(); ++i) result = ask.broadcast(result, ask.shape(i));
  return {std::move(result)};
}

/// The axes of the result that `removed` names have the size 1, or are left out without keepdims.
Shape without(const ShapeQuestions& ask, const std::vector<std::int64_t>& removed) {
  Shape shape = ask.shape(0);
  for (const std::int64_t value : removed) shape[ask.axis(value, shape.size())] = -1;
  const bool keep = ask.node().integer("keepdims", 1) != 0;
  Shape result;
  for (const std::int64_t size : shape)
    if (size >= 0 || keep) result.push_back(size < 0 ? 1 : size);
  return result;
}

Shapes reduced(const ShapeQuestions& ask) {
  std::vector<std::int64_t> axes;
  if (ask.has_list(1, "axes")) axes = ask.list(1, "axes");
  if (axes.empty() && ask.node().integer("noop_with_empty_axes", 0) != 0) return {ask.shape(0)};
  if (axes.empty())
    for (std::size_t i = 0; i < ask.rank(0); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return {without(ask, axes)};
}

Shapes place_of_extreme(const ShapeQuestions& ask) { return {without(ask, {ask.node().integer("axis", 0)})}; }

Shapes top(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  const auto count = ask.list(1, "");
  const std::size_t axis = ask.axis("axis", -1, result.size());
  ask.require(count.size() == 1 && count[0] > 0 && count[0] <= result[axis], "the number of elements does not fit",
              count);
  result[axis] = count[0];
  return {result, result};
}

Shapes product(const ShapeQuestions& ask) {
  Shape a = ask.shape(0), b = ask.shape(1);
  ask.require(!a.empty() && !b.empty(), "a factor is a scalar");
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  ask.require(a.back() == b[b.size() - 2], "the inner sizes differ", b);
  Shape result = ask.broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  if (!row) result.push_back(a[a.size() - 2]);
  if (!column) result.push_back(b.back());
  return {std::move(result)};
}

Shapes gemm(const ShapeQuestions& ask) {
  const Shape &a = ask.shape(0), &b = ask.shape(1);
  ask.require(a.size() == 2 && b.size() == 2, "two matrices are expected", a);
  const bool flip_a = ask.node().integer("transA", 0) != 0, flip_b = ask.node().integer("transB", 0) != 0;
  ask.require(a[flip_a ? 0 : 1] == b[flip_b ? 1 : 0], "the inner sizes differ", b);
  Shape result{a[flip_a ? 1 : 0], b[flip_b ? 0 : 1]};
  if (ask.has(2)) ask.require(ask.broadcast(ask.shape(2), result) == result, "the sum does not fit", ask.shape(2));
  return {std::move(result)};
}

Shapes determinant(const ShapeQuestions& ask) {
  Shape result = ask.shape(0);
  ask.require(result.size() >= 2, "a matrix is expected", result);
  result.resize(result.size() - 2);
  return {std::move(result)};
}

/// Sizes by letter; without an arrow the letters that occur once, in their order.
Shapes sum_of_products(const ShapeQuestions& ask) {
  std::string equation = ask.node().text("equation", "");
  std::erase(equation, ' ');
  if (equation.find('.') != std::string::npos) ask.refuse("an ellipsis is not executed in networks");
  const std::size_t arrow = equation.find("->");
  std::map<char, std::int64_t> sizes;
  std::map<char, int> seen;
  std::size_t input = 0, axis = 0;
  for (const char letter : equation.substr(0, arrow)) {
    if (letter == ',') {
      ++input;
      axis = 0;
      continue;
    }
    ask.require(axis < ask.rank(input), "the equation does not fit the operands");
    sizes[letter] = std::max(sizes[letter], ask.shape(input)[axis++]);
    ++seen[letter];
  }
  Shape result;
  if (arrow == std::string::npos) {
    for (const auto& [letter, count] : seen)
      if (count == 1) result.push_back(sizes[letter]);
  } else {
    for (const char letter : equation.substr(arrow + 2)) {
      ask.require(sizes.contains(letter), "the equation does not fit the operands");
      result.push_back(sizes[letter]);
    }
  }
  return {std::move(result)};
}

/// Mean and deviation have the normalised axes with size 1.
Shapes normalised_layer(const ShapeQuestions& ask) {
  Shape statistics = ask.shape(0);
  for (std::size_t i = ask.axis("axis", -1, statistics.size()); i < statistics.size(); ++i) statistics[i] = 1;
  return {ask.shape(0), statistics, statistics};
}

std::map<std::string, ShapeRule, std::less<>> all_rules() {
  std::map<std::string, ShapeRule, std::less<>> rules;
  for (const char* op : {"Abs",
                         "Acos",
                         "Acosh",
                         "Asin",
                         "Asinh",
                         "Atan",
                         "Atanh",
                         "CastLike",
                         "Ceil",
                         "Celu",
                         "Clip",
                         "Cos",
                         "Cosh",
                         "CumSum",
                         "Elu",
                         "Erf",
                         "Exp",
                         "Floor",
                         "HardSigmoid",
                         "HardSwish",
                         "Hardmax",
                         "IsInf",
                         "IsNaN",
                         "InstanceNormalization",
                         "LRN",
                         "LeakyRelu",
                         "Log",
                         "LogSoftmax",
                         "LpNormalization",
                         "MeanVarianceNormalization",
                         "Neg",
                         "Not",
                         "Reciprocal",
                         "Relu",
                         "ReverseSequence",
                         "Round",
                         "Scatter",
                         "ScatterElements",
                         "ScatterND",
                         "Selu",
                         "Shrink",
                         "Sigmoid",
                         "Sign",
                         "Sin",
                         "Sinh",
                         "Softmax",
                         "Softplus",
                         "Softsign",
                         "Sqrt",
                         "Tan",
                         "Tanh",
                         "ThresholdedRelu",
                         "Trilu",
                         "Cast"})
    rules[op] = same;
  for (const char* op : {"Add",  "And",         "BitShift", "Div",  "Equal", "Greater", "GreaterOrEqual",
                         "Less", "LessOrEqual", "Max",      "Mean", "Min",   "Mod",     "Mul",
                         "Or",   "Pow",         "PRelu",    "Sub",  "Sum",   "Where",   "Xor"})
    rules[op] = broadcast;
  for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                         "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"})
    rules[op] = reduced;
  rules["ArgMax"] = rules["ArgMin"] = place_of_extreme;
  rules["TopK"] = top;
  rules["MatMul"] = product;
  rules["Gemm"] = gemm;
  rules["Det"] = determinant;
  rules["Einsum"] = sum_of_products;
  rules["LayerNormalization"] = normalised_layer;
  for (const ShapeRules& more : {window_shape_rules(), moved_shape_rules()}) rules.insert(more.begin(), more.end());
  return rules;
}

}  // namespace

ShapeRule find_shape_rule(std::string_view op) {
  static const std::map<std::string, ShapeRule, std::less<>> rules = all_rules();
  const auto found = rules.find(op);
  return found == rules.end() ? nullptr : found->second;
}

}  // namespace espalier::model

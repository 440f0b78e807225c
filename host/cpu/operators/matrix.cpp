#include "cpu/operators/matrix.hpp"

#include <Eigen/Dense>
#include <map>

#include "cpu/operators/elementwise.hpp"
#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

template <typename Number>
using Matrix = Eigen::Matrix<Number, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The same bits as uint64, where overflow is defined.
const std::uint64_t* as_unsigned(const std::int64_t* values) { return reinterpret_cast<const std::uint64_t*>(values); }

template <typename Number>
std::span<const Number> part(const std::vector<Number>& values, std::int64_t index, std::int64_t size) {
  return std::span(values).subspan(static_cast<std::size_t>(index * size), static_cast<std::size_t>(size));
}

template <typename Values>
Values batched_product(const Values& a, const Values& b, const Integers& from_a, const Integers& from_b,
                       std::int64_t rows, std::int64_t inner, std::int64_t columns) {
  Values result(from_a.size() * static_cast<std::size_t>(rows * columns), 0);
  const auto size = static_cast<std::size_t>(rows * columns);
  for (std::size_t i = 0; i < from_a.size(); ++i)
    multiply_add(part(a, from_a[i], rows * inner), part(b, from_b[i], inner * columns),
                 std::span(result).subspan(i * size, size), rows, inner, columns);
  return result;
}

/// alpha A' B' + beta C
Results gemm(const Call& call) {
  const auto operand = [&](std::size_t index, const char* attribute) {
    const TypedTensor matrix = model::convert(call.input(index), DataType::Float64);
    call.require(matrix.shape.size() == 2, "a matrix is expected", matrix.shape);
    return call.integer(attribute, 0) != 0 ? transposed(matrix, {1, 0}) : matrix;
  };
  const double alpha = call.real("alpha", 1.0), beta = call.real("beta", 1.0);
  TypedTensor result = matrix_product(call, operand(0, "transA"), operand(1, "transB"), DataType::Float64);
  result = map_reals(result, [&](double x) { return alpha * x; });
  if (call.has(2)) {
    const TypedTensor addend = model::convert(call.input(2), DataType::Float64);
    const Shape shape = result.shape;
    result = combine(call, result, addend, [&](double x, double c) { return x + beta * c; }, {});
    call.require(result.shape == shape, "the addend is larger than the product", addend.shape);
  }
  return {model::convert(result, call.input(0).type)};
}

Results determinant(const Call& call) {
  const TypedTensor& input = call.input(0);
  const std::size_t rank = input.shape.size();
  call.require(rank >= 2 && input.shape[rank - 1] == input.shape[rank - 2], "square matrices are expected",
               input.shape);
  const std::int64_t size = input.shape[rank - 1];
  Shape shape(input.shape.begin(), input.shape.end() - 2);
  Reals values;
  for (std::size_t i = 0; i < call.count(shape); ++i) {
    const auto matrix = part(input.reals(), static_cast<std::int64_t>(i), size * size);
    values.push_back(size == 0 ? 1.0 : Eigen::Map<const Matrix<double>>(matrix.data(), size, size).determinant());
  }
  return {model::real_tensor(input.type, std::move(shape), std::move(values))};
}

/// An equation like "bij,bjk->bik" with the axes of an ellipsis named by digits.
struct Equation {
  std::vector<std::string> terms;
  std::string result;
};

std::string expand_ellipsis(const Call& call, std::string term, std::size_t rank) {
  const std::size_t at = term.find("...");
  if (at == std::string::npos) return term;
  std::string axes;
  call.require(term.size() - 3 <= rank, "a term has more letters than axes");
  for (std::size_t axis = rank - (term.size() - 3); axis-- > 0;) axes += static_cast<char>('0' + axis);
  return term.replace(at, 3, axes);
}

Equation parse_equation(const Call& call) {
  Equation equation;
  std::string text = call.text("equation", ""), widest;
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow) + ",";
  for (std::size_t end = 0; (end = left.find(',')) != std::string::npos; left.erase(0, end + 1)) {
    call.require(equation.terms.size() < call.inputs(), "the equation has more terms than inputs");
    const std::string term = left.substr(0, end);
    const std::size_t rank = call.input(equation.terms.size()).shape.size();
    equation.terms.push_back(expand_ellipsis(call, term, rank));
    const std::string ellipsis =
        term.find("...") == std::string::npos ? "" : expand_ellipsis(call, "...", rank + 3 - term.size());
    if (ellipsis.size() > widest.size()) widest = ellipsis;
    call.require(equation.terms.back().size() == rank, "a term does not have the axes of its input");
  }
  call.require(equation.terms.size() == call.inputs(), "the equation has fewer terms than inputs");
  if (arrow != std::string::npos) {
    equation.result = text.substr(arrow + 2);
    if (const std::size_t at = equation.result.find("..."); at != std::string::npos)
      equation.result.replace(at, 3, widest);
    return equation;
  }
  std::map<char, int> uses;
  for (const std::string& term : equation.terms)
    for (const char letter : term) ++uses[letter];
  equation.result = widest;
  for (const auto& [letter, count] : uses)
    if (count == 1 && widest.find(letter) == std::string::npos) equation.result += letter;
  return equation;
}

/// Steps of a tensor along every letter; repeated letters walk the diagonal, axes of size 1 stand still.
Shape letter_strides(const std::string& term, const std::string& letters, const Shape& shape) {
  const Shape dense = strides_of(shape);
  Shape strides(letters.size(), 0);
  for (std::size_t axis = 0; axis < term.size(); ++axis)
    if (shape[axis] != 1) strides[letters.find(term[axis])] += dense[axis];
  return strides;
}

template <typename Values>
Values sum_of_products(const std::vector<const Values*>& factors, const std::vector<Shape>& strides, const Shape& space,
                       const Shape& result_strides, std::size_t results) {
  Values values(results, 0);
  for_each(space, [&](const Shape& at, std::int64_t) {
    typename Values::value_type term = 1;
    for (std::size_t i = 0; i < factors.size(); ++i)
      term = multiply(term, (*factors[i])[static_cast<std::size_t>(position_of(at, strides[i]))]);
    auto& target = values[static_cast<std::size_t>(position_of(at, result_strides))];
    target = add(target, term);
  });
  return values;
}

Results einsum(const Call& call) {
  const Equation equation = parse_equation(call);
  std::string letters = equation.result;
  Shape space(letters.size(), 1);
  for (std::size_t i = 0; i < letters.size(); ++i)
    call.require(letters.find(letters[i]) == i, "the result names an axis twice");
  for (std::size_t i = 0; i < equation.terms.size(); ++i)
    for (std::size_t axis = 0; axis < equation.terms[i].size(); ++axis) {
      const std::int64_t size = call.input(i).shape[axis];
      std::size_t at = letters.find(equation.terms[i][axis]);
      if (at == std::string::npos) {
        at = letters.size();
        letters += equation.terms[i][axis];
        space.push_back(1);
      }
      call.require(size == 1 || space[at] == 1 || space[at] == size, "sizes of a letter differ", call.input(i).shape);
      if (size != 1) space[at] = size;
    }
  call.count(space);
  std::vector<Shape> strides;
  for (std::size_t i = 0; i < call.inputs(); ++i)
    strides.push_back(letter_strides(equation.terms[i], letters, call.input(i).shape));
  const Shape shape(space.begin(), space.begin() + static_cast<std::ptrdiff_t>(equation.result.size()));
  const Shape result_strides = letter_strides(equation.result, letters, shape);
  const DataType type = call.input(0).type;
  std::vector<const Reals*> reals;
  std::vector<const Integers*> integers;
  for (std::size_t i = 0; i < call.inputs(); ++i)
    if (model::is_real(type))
      reals.push_back(&call.input(i).reals());
    else
      integers.push_back(&call.input(i).integers());
  if (model::is_real(type))
    return {model::real_tensor(type, shape, sum_of_products(reals, strides, space, result_strides, call.count(shape)))};
  return {
      model::integer_tensor(type, shape, sum_of_products(integers, strides, space, result_strides, call.count(shape)))};
}

}  // namespace

void multiply_add(std::span<const double> a, std::span<const double> b, std::span<double> c, std::int64_t rows,
                  std::int64_t inner, std::int64_t columns) {
  if (rows == 0 || inner == 0 || columns == 0) return;
  Eigen::Map<Matrix<double>>(c.data(), rows, columns).noalias() +=
      Eigen::Map<const Matrix<double>>(a.data(), rows, inner) *
      Eigen::Map<const Matrix<double>>(b.data(), inner, columns);
}

void multiply_add(std::span<const std::int64_t> a, std::span<const std::int64_t> b, std::span<std::int64_t> c,
                  std::int64_t rows, std::int64_t inner, std::int64_t columns) {
  if (rows == 0 || inner == 0 || columns == 0) return;
  Eigen::Map<Matrix<std::uint64_t>>(reinterpret_cast<std::uint64_t*>(c.data()), rows, columns).noalias() +=
      Eigen::Map<const Matrix<std::uint64_t>>(as_unsigned(a.data()), rows, inner) *
      Eigen::Map<const Matrix<std::uint64_t>>(as_unsigned(b.data()), inner, columns);
}

TypedTensor matrix_product(const Call& call, const TypedTensor& a, const TypedTensor& b, DataType type) {
  call.require(!a.shape.empty() && !b.shape.empty(), "scalars have no matrix product");
  Shape left = a.shape, right = b.shape;
  if (left.size() == 1) left.insert(left.begin(), 1);
  if (right.size() == 1) right.push_back(1);
  const std::int64_t rows = left[left.size() - 2], inner = left.back(), columns = right.back();
  call.require(inner == right[right.size() - 2], "inner sizes differ", right);
  const Shape left_batch(left.begin(), left.end() - 2), right_batch(right.begin(), right.end() - 2);
  Shape shape = broadcast(call, {left_batch, right_batch});
  const Integers from_a = broadcast_positions(left_batch, shape), from_b = broadcast_positions(right_batch, shape);
  if (a.shape.size() > 1) shape.push_back(rows);
  if (b.shape.size() > 1) shape.push_back(columns);
  call.count(shape);
  if (model::is_real(type))
    return model::real_tensor(type, std::move(shape),
                              batched_product(a.reals(), b.reals(), from_a, from_b, rows, inner, columns));
  return model::integer_tensor(type, std::move(shape),
                               batched_product(a.integers(), b.integers(), from_a, from_b, rows, inner, columns));
}

Kernels matrix_kernels() {
  return {{"Det", determinant},
          {"Einsum", einsum},
          {"Gemm", gemm},
          {"MatMul", [](const Call& call) {
             return Results{matrix_product(call, call.input(0), call.input(1), call.input(0).type)};
           }}};
}

}  // namespace espalier::cpu::operators

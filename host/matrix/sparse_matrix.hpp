// Sparse int8 matrices: compressed rows, quantisation, and the exact product on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "matrix/matrix_market.hpp"

namespace espalier::matrix {

/// A rows x columns matrix without its zeros: the entries of row r are first[r] .. first[r + 1] - 1, columns ascending.
struct SparseMatrix {
  int rows = 0;
  int columns = 0;
  std::vector<std::size_t> first{0};  // rows + 1
  std::vector<int> column;
  std::vector<std::int8_t> value;  // never 0

  std::size_t nonzeros() const { return value.size(); }
};

/// What happens to values that are no int8.
enum class Quantisation { Refused, PerRow };

/// An int8 matrix and what it stands for: the real row r is unit[r] times the row of integers.
struct IntegerMatrix {
  SparseMatrix matrix;
  std::vector<double> unit;
  int quantised_rows = 0;     // rows with values that were no int8; the others have unit 1
  std::size_t lost = 0;       // entries that became 0
  double relative_error = 0;  // largest |difference| over the largest |value| of its row
};

/// Sums entries of one place, drops zeros, and makes int8 of the values: as they are, or, in rows with another value,
/// symmetric with the row's largest magnitude as 127, ties to even. Throws Error (Input) naming the line of a value
/// that is no int8 if that is refused, or of a sum that is not finite.
IntegerMatrix to_integers(const MarketMatrix& market, Quantisation quantisation, const std::string& name);

/// A X, exact: `operand` is columns x count, the result rows x count, both by rows. Throws Error (Input) for a wrong
/// size.
std::vector<std::int64_t> multiply(const SparseMatrix& matrix, std::span<const std::int8_t> operand, int count);

/// Throws Error (Input) unless `operand` has columns x count elements and count is at least 1.
void check_operand(const SparseMatrix& matrix, std::span<const std::int8_t> operand, int count);

}  // namespace espalier::matrix

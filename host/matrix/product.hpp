// Sparse matrix times vectors on the accelerator: y = A x (one column) and Y = A X.
//
//   matrix::Product product(matrix, {.configuration = abi::Array16x16, .count = 1});
//   matrix::ProductRun run = product.run(device, x);      // run.values[r] stands for values / scale of row r
//
// The machine accumulates in exact int32 and writes int8: a result is round(sum * scale[row]), ties to even, and not
// the sum itself. Rows whose bound is at most 127 have the scale 1: their results are the exact sums. A matrix with
// more columns than the scratchpad holds is cut, and the rounded results of its pieces are added on the host.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "compile/compile.hpp"
#include "espalier/driver/device.hpp"
#include "matrix/pieces.hpp"
#include "matrix/sparse_matrix.hpp"
#include "run/session.hpp"

namespace espalier::matrix {

struct ProductOptions {
  abi::Configuration configuration = abi::Array16x16;
  int count = 1;  // columns of X
  /// Per row, the largest magnitude that the sum over any range of its columns is to reach without being clamped;
  /// none: worst_bounds().
  std::vector<std::int64_t> bounds;
  compile::Options compile;
  std::function<void(std::size_t piece, std::size_t pieces)> progress;  // before each piece is compiled
};

/// 128 times the sum of the magnitudes of each row: no int8 operand exceeds it.
std::vector<std::int64_t> worst_bounds(const SparseMatrix& matrix);

/// The largest magnitude of a sum over any range of a row's columns, for this operand (columns x count, by rows).
std::vector<std::int64_t> operand_bounds(const SparseMatrix& matrix, std::span<const std::int8_t> operand, int count);

/// 127 / bound as the machine multiplies, 1 for bounds up to 127.
abi::Scale row_scale(std::int64_t bound);

/// Sums over the pieces.
struct ProductCost {
  std::uint64_t predicted_cycles = 0;
  std::uint64_t read_bytes = 0, write_bytes = 0;
  std::uint64_t memory_limit_cycles = 0;  // the bytes moved at the memory's rate; reads and writes side by side
};

struct ProductRun {
  std::vector<std::int32_t> values;              // rows x count, by rows
  std::optional<std::uint64_t> measured_cycles;  // none if the device has no clock
};

/// A product compiled for one array; any number of operands and devices.
class Product {
 public:
  /// Compiles. Throws Error (Input) for a wrong number of bounds, Error (Unsupported) for a matrix that is too large.
  Product(const SparseMatrix& matrix, ProductOptions options);

  /// X is columns x count int8, by rows. Throws Error (Input) for a wrong size, Error (Program) for a device with
  /// another array, Error (Device, Timeout) from the device.
  ProductRun run(driver::Device& device, std::span<const std::int8_t> operand) const;

  /// What run() gives, computed on the CPU from the contract's arithmetic by plain loops.
  std::vector<std::int32_t> reference(std::span<const std::int8_t> operand) const;

  const std::vector<Piece>& pieces() const { return pieces_; }
  const std::vector<abi::Scale>& scale() const { return scale_; }  // per row
  /// Whether every row has the scale 1: results are the exact sums, provided that no sum exceeds its bound.
  bool exact() const;
  const ProductCost& cost() const { return cost_; }
  /// Cycles at which every multiplier of the array has a non-zero product in every cycle.
  std::uint64_t multiplier_limit_cycles() const;

 private:
  void compile_piece(const Piece& piece);

  SparseMatrix matrix_;
  ProductOptions options_;
  std::vector<abi::Scale> scale_;
  std::vector<Piece> pieces_;
  std::vector<run::Executable> executables_;
  ProductCost cost_;
};

}  // namespace espalier::matrix

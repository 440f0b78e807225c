// A matrix product in pieces that the machine holds, and each piece as a network of one convolution.
//
// Rows of the matrix are output channels. Columns are input channels and kernel rows: column j is channel j / height,
// kernel row j % height, so that the words of an operand lie in long runs of memory. The columns of the operand are the
// columns of a map of `height` rows, which the kernel spans: a word holds one row of the operand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "matrix/sparse_matrix.hpp"
#include "model/network.hpp"

namespace espalier::matrix {

/// [begin, end) of rows or columns.
struct Range {
  int begin = 0;
  int end = 0;
  int size() const { return end - begin; }
};

/// rows x columns of the matrix, times columns x operands of the operand.
struct Piece {
  Range rows, columns, operands;
};

/// Pieces that are likely to fit the scratchpad, without those that have no entries; ordered by rows, columns,
/// operands. Throws Error (Unsupported) if there are more than MaxPieces or the operand or result is too large.
std::vector<Piece> cut(const SparseMatrix& matrix, int count, const abi::Configuration& configuration);
inline constexpr std::size_t MaxPieces = 4096;

/// The piece in two halves along its longest side in words; one element if it is a single product.
std::vector<Piece> halves(const Piece& piece, const abi::Configuration& configuration);

/// Kernel rows of a piece with so many columns: of the heights that give long runs, the one that pads least.
int kernel_height(int columns);

/// The piece as a network with one input, channels x height x operands, and one output, rows x 1 x operands. Row r of
/// the piece is requantised with scale[rows.begin + r], without offset or clamp.
model::Network piece_network(const SparseMatrix& matrix, const Piece& piece, std::span<const abi::Scale> scale);

/// The part of the operand that the piece reads, as the network's input.
std::vector<std::int8_t> piece_input(const Piece& piece, std::span<const std::int8_t> operand, int count);

}  // namespace espalier::matrix

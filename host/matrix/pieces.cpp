#include "matrix/pieces.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "esp_error.hpp"

namespace espalier::matrix {
namespace {

constexpr std::int64_t MaxElements = std::int64_t{1} << 28;  // of an operand or a result
constexpr std::int64_t MaxCells = std::int64_t{1} << 26;     // rows x columns of a piece, zeros included

std::int64_t divide_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

/// The i-th of `parts` nearly equal ranges of 0 .. size - 1.
Range part(std::int64_t size, std::int64_t parts, std::int64_t i) {
  return {static_cast<int>(size * i / parts), static_cast<int>(size * (i + 1) / parts)};
}

/// The part of `size` in `parts` that `index` lies in.
std::int64_t part_of(std::int64_t index, std::int64_t size, std::int64_t parts) {
  return ((index + 1) * parts - 1) / size;
}

/// Parts along each side.
struct Grid {
  std::int64_t rows = 1, columns = 1, operands = 1;
};

Grid make_grid(const SparseMatrix& matrix, int count, const abi::Configuration& configuration) {
  const std::int64_t words = configuration.scratch_words();
  const std::int64_t pixels = configuration.pixels;
  const std::int64_t most_columns = words / 4 * 3;
  Grid grid;
  grid.columns = divide_up(matrix.columns, most_columns);
  const std::int64_t columns = divide_up(matrix.columns, grid.columns);
  const std::int64_t most_operands = pixels * std::max<std::int64_t>(1, most_columns / columns);
  grid.operands = divide_up(count, most_operands);
  const std::int64_t positions = divide_up(divide_up(count, grid.operands), pixels);
  const std::int64_t most_rows =
      std::min(std::max<std::int64_t>(1, words / 4 / positions), std::max<std::int64_t>(1, MaxCells / columns));
  grid.rows = divide_up(matrix.rows, most_rows);
  return grid;
}

bool has_entries(const SparseMatrix& matrix, const Piece& piece) {
  for (int row = piece.rows.begin; row < piece.rows.end; ++row) {
    const auto begin = matrix.column.begin() + static_cast<std::ptrdiff_t>(matrix.first[static_cast<std::size_t>(row)]);
    const auto end =
        matrix.column.begin() + static_cast<std::ptrdiff_t>(matrix.first[static_cast<std::size_t>(row) + 1]);
    const auto found = std::lower_bound(begin, end, piece.columns.begin);
    if (found != end && *found < piece.columns.end) return true;
  }
  return false;
}

}  // namespace

std::vector<Piece> cut(const SparseMatrix& matrix, int count, const abi::Configuration& configuration) {
  for (const int side : {matrix.rows, matrix.columns})
    if (std::int64_t{side} * count > MaxElements)
      throw Error(
          ErrorCode::Unsupported, "the operand or the result is too large", "matrix product",
          std::to_string(side) + " x " + std::to_string(count),
          "multiply fewer columns of the operand at a time, at most " + std::to_string(MaxElements) + " elements");
  if (matrix.nonzeros() == 0) return {};
  const Grid grid = make_grid(matrix, count, configuration);
  std::set<std::pair<std::int64_t, std::int64_t>> used;
  for (int row = 0; row < matrix.rows; ++row)
    for (std::size_t i = matrix.first[static_cast<std::size_t>(row)];
         i < matrix.first[static_cast<std::size_t>(row) + 1]; ++i) {
      used.insert({part_of(row, matrix.rows, grid.rows), part_of(matrix.column[i], matrix.columns, grid.columns)});
      if (static_cast<std::int64_t>(used.size()) * grid.operands > static_cast<std::int64_t>(MaxPieces))
        throw Error(ErrorCode::Unsupported, "the matrix would be cut into too many pieces", "matrix product",
                    std::to_string(matrix.rows) + " x " + std::to_string(matrix.columns),
                    "reorder it so that its entries lie closer, or multiply parts of it");
    }
  std::vector<Piece> pieces;
  for (const auto& [row, column] : used)
    for (std::int64_t n = 0; n < grid.operands; ++n)
      pieces.push_back({part(matrix.rows, grid.rows, row), part(matrix.columns, grid.columns, column),
                        part(count, grid.operands, n)});
  std::erase_if(pieces, [&](const Piece& piece) { return !has_entries(matrix, piece); });
  return pieces;
}

std::vector<Piece> halves(const Piece& piece, const abi::Configuration& configuration) {
  const auto pixels = static_cast<int>(configuration.pixels);
  const int operands = piece.operands.size() > pixels ? piece.operands.size() : 0;
  const int longest = std::max({piece.rows.size(), piece.columns.size(), operands});
  std::vector<Piece> parts(2, piece);
  const auto halve = [&](Range Piece::*side) {
    const int middle = (piece.*side).begin + (piece.*side).size() / 2;
    (parts[0].*side).end = middle;
    (parts[1].*side).begin = middle;
  };
  if (longest == 1) return {piece};
  if (operands > 0) {
    halve(&Piece::operands);
  } else if (piece.columns.size() == longest) {
    halve(&Piece::columns);
  } else {
    halve(&Piece::rows);
  }
  return parts;
}

int kernel_height(int columns) {
  const int highest = std::clamp(columns / 8, 1, 64);
  int best = highest;
  const auto padded = [&](int height) { return divide_up(columns, height) * height; };
  for (int height = highest; height >= std::max(1, highest / 2); --height)
    if (padded(height) < padded(best)) best = height;
  return best;
}

model::Network piece_network(const SparseMatrix& matrix, const Piece& piece, std::span<const abi::Scale> scale) {
  const int height = kernel_height(piece.columns.size());
  const auto channels = static_cast<int>(divide_up(piece.columns.size(), height));
  model::Network network;
  network.name = "matrix product";
  network.features = {{"operand", channels, height, piece.operands.size(), 1.0, 0},
                      {"result", piece.rows.size(), 1, piece.operands.size(), 1.0, 0}};
  network.inputs = {0};
  network.outputs = {1};
  model::Layer layer;
  layer.name = "product";
  layer.op = "MatMul";
  layer.inputs = {0};
  layer.output = 1;
  layer.kernel_h = height;
  const auto rows = static_cast<std::size_t>(piece.rows.size());
  const std::size_t padded = static_cast<std::size_t>(channels) * static_cast<std::size_t>(height);
  layer.weights.assign(rows * padded, 0);
  layer.bias.assign(rows, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t row = static_cast<std::size_t>(piece.rows.begin) + r;
    layer.scale.push_back(scale[row]);
    for (std::size_t i = matrix.first[row]; i < matrix.first[row + 1]; ++i)
      if (matrix.column[i] >= piece.columns.begin && matrix.column[i] < piece.columns.end)
        layer.weights[r * padded + static_cast<std::size_t>(matrix.column[i] - piece.columns.begin)] = matrix.value[i];
  }
  network.layers.push_back(std::move(layer));
  return network;
}

std::vector<std::int8_t> piece_input(const Piece& piece, std::span<const std::int8_t> operand, int count) {
  const int height = kernel_height(piece.columns.size());
  const auto width = static_cast<std::size_t>(piece.operands.size());
  const auto padded = static_cast<std::size_t>(divide_up(piece.columns.size(), height) * height);
  std::vector<std::int8_t> input(padded * width, 0);
  for (int j = 0; j < piece.columns.size(); ++j) {
    const std::size_t from = static_cast<std::size_t>(piece.columns.begin + j) * static_cast<std::size_t>(count) +
                             static_cast<std::size_t>(piece.operands.begin);
    std::copy_n(operand.begin() + static_cast<std::ptrdiff_t>(from), width,
                input.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(j) * width));
  }
  return input;
}

}  // namespace espalier::matrix

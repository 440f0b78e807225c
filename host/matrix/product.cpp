#include "matrix/product.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "esp_arithmetic.hpp"
#include "esp_error.hpp"

namespace espalier::matrix {
namespace {

/// Adds the results of a piece, its rows x its operands, to those of the product.
template <typename Values>
void add_results(const Piece& piece, int count, const Values& results, std::vector<std::int32_t>& values) {
  std::size_t next = 0;
  for (int row = piece.rows.begin; row < piece.rows.end; ++row)
    for (int n = piece.operands.begin; n < piece.operands.end; ++n)
      values[static_cast<std::size_t>(row) * static_cast<std::size_t>(count) + static_cast<std::size_t>(n)] +=
          results[next++];
}

std::vector<std::int8_t> piece_reference(const SparseMatrix& matrix, const Piece& piece,
                                         std::span<const abi::Scale> scale, std::span<const std::int8_t> operand,
                                         int count) {
  std::vector<std::int8_t> results;
  for (int r = piece.rows.begin; r < piece.rows.end; ++r) {
    const auto row = static_cast<std::size_t>(r);
    for (int n = piece.operands.begin; n < piece.operands.end; ++n) {
      std::int32_t sum = 0;
      for (std::size_t i = matrix.first[row]; i < matrix.first[row + 1]; ++i) {
        if (matrix.column[i] < piece.columns.begin || matrix.column[i] >= piece.columns.end) continue;
        const std::size_t at = static_cast<std::size_t>(matrix.column[i]) * static_cast<std::size_t>(count);
        sum = abi::accumulate(sum, matrix.value[i] * operand[at + static_cast<std::size_t>(n)]);
      }
      results.push_back(abi::requantise(sum, scale[row].multiplier, scale[row].shift, 0, -128, 127));
    }
  }
  return results;
}

}  // namespace

std::vector<std::int64_t> worst_bounds(const SparseMatrix& matrix) {
  std::vector<std::int64_t> bounds;
  for (std::size_t row = 0; row < static_cast<std::size_t>(matrix.rows); ++row) {
    std::int64_t bound = 0;
    for (std::size_t i = matrix.first[row]; i < matrix.first[row + 1]; ++i)
      bound += 128 * std::abs(std::int64_t{matrix.value[i]});
    bounds.push_back(bound);
  }
  return bounds;
}

std::vector<std::int64_t> operand_bounds(const SparseMatrix& matrix, std::span<const std::int8_t> operand, int count) {
  check_operand(matrix, operand, count);
  std::vector<std::int64_t> bounds(static_cast<std::size_t>(matrix.rows), 0);
  const auto width = static_cast<std::size_t>(count);
  std::vector<std::int64_t> sum(width), low(width), high(width);
  for (std::size_t row = 0; row < bounds.size(); ++row) {
    // A sum over a range is the difference of two sums from the start of the row.
    for (auto* values : {&sum, &low, &high}) std::fill(values->begin(), values->end(), 0);
    for (std::size_t i = matrix.first[row]; i < matrix.first[row + 1]; ++i) {
      const std::size_t at = static_cast<std::size_t>(matrix.column[i]) * width;
      for (std::size_t n = 0; n < width; ++n) {
        sum[n] += std::int64_t{matrix.value[i]} * operand[at + n];
        low[n] = std::min(low[n], sum[n]);
        high[n] = std::max(high[n], sum[n]);
      }
    }
    for (std::size_t n = 0; n < width; ++n) bounds[row] = std::max(bounds[row], high[n] - low[n]);
  }
  return bounds;
}

abi::Scale row_scale(std::int64_t bound) {
  return abi::make_scale(bound <= 127 ? 1.0 : 127.0 / static_cast<double>(bound));
}

Product::Product(const SparseMatrix& matrix, ProductOptions options) : matrix_(matrix), options_(std::move(options)) {
  if (options_.count < 1)
    throw Error(ErrorCode::Input, "the operand has no columns", "matrix product", std::to_string(options_.count),
                "give at least one");
  if (options_.bounds.empty()) options_.bounds = worst_bounds(matrix_);
  if (options_.bounds.size() != static_cast<std::size_t>(matrix_.rows))
    throw Error(ErrorCode::Input, "wrong number of bounds", "matrix product", std::to_string(options_.bounds.size()),
                "give one for each of the " + std::to_string(matrix_.rows) + " rows");
  for (const std::int64_t bound : options_.bounds) scale_.push_back(row_scale(bound));
  const std::vector<Piece> pieces = cut(matrix_, options_.count, options_.configuration);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (options_.progress) options_.progress(i, pieces.size());
    compile_piece(pieces[i]);
  }
}

// Compiles a piece, or its halves if the machine cannot hold it.
void Product::compile_piece(const Piece& piece) {
  const model::Network network = piece_network(matrix_, piece, scale_);
  model::validate(network);
  run::Executable executable{network.name, {}, {}};
  try {
    executable.compiled = compile::compile(network, options_.configuration, options_.compile);
  } catch (const Error& error) {
    const std::vector<Piece> parts = halves(piece, options_.configuration);
    if (error.code() != ErrorCode::Unsupported || parts.size() < 2 || pieces_.size() >= MaxPieces) throw;
    for (const Piece& part : parts) compile_piece(part);
    return;
  }
  std::uint64_t read = 0, write = 0;
  for (const compile::LayerReport& layer : executable.compiled.layers) {
    read += layer.dram_read_bytes;
    write += layer.dram_write_bytes;
  }
  const std::uint64_t rate = options_.compile.memory.bytes;
  cost_.predicted_cycles += executable.compiled.total_cycles;
  cost_.read_bytes += read;
  cost_.write_bytes += write;
  cost_.memory_limit_cycles += (std::max(read, write) + rate - 1) / rate;
  pieces_.push_back(piece);
  executables_.push_back(std::move(executable));
}

ProductRun Product::run(driver::Device& device, std::span<const std::int8_t> operand) const {
  check_operand(matrix_, operand, options_.count);
  ProductRun result;
  result.values.assign(static_cast<std::size_t>(matrix_.rows) * static_cast<std::size_t>(options_.count), 0);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    run::Session session(device, executables_[i], {device.name(), options_.compile.memory, {}});
    const std::vector<run::Feature> inputs{piece_input(pieces_[i], operand, options_.count)};
    const run::FeatureRun piece = session.run_features(inputs);
    add_results(pieces_[i], options_.count, piece.features.front(), result.values);
    const auto cycles = piece.report.totals.measured_cycles;
    if (cycles) result.measured_cycles = result.measured_cycles.value_or(0) + *cycles;
  }
  return result;
}

std::vector<std::int32_t> Product::reference(std::span<const std::int8_t> operand) const {
  check_operand(matrix_, operand, options_.count);
  std::vector<std::int32_t> values(static_cast<std::size_t>(matrix_.rows) * static_cast<std::size_t>(options_.count));
  for (const Piece& piece : pieces_)
    add_results(piece, options_.count, piece_reference(matrix_, piece, scale_, operand, options_.count), values);
  return values;
}

bool Product::exact() const {
  return std::all_of(options_.bounds.begin(), options_.bounds.end(), [](std::int64_t bound) { return bound <= 127; });
}

std::uint64_t Product::multiplier_limit_cycles() const {
  const std::uint64_t products = matrix_.nonzeros() * static_cast<std::uint64_t>(options_.count);
  const std::uint64_t array = std::uint64_t{options_.configuration.lanes} * options_.configuration.pixels;
  return (products + array - 1) / array;
}

}  // namespace espalier::matrix

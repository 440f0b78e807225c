// Properties, on the functional machine:
//   - random matrices of every class of size and density give requantised sums, equal to plain loops, and whole sums
//     where the bound of a row is at most 127
//   - pieces cover every entry once; halves cover their piece
//   - operands, bounds and devices that do not fit are refused
#include "matrix/product.hpp"

#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "functional/functional_bus.hpp"
#include "random.hpp"

namespace espalier::matrix {
namespace {

SparseMatrix random_matrix(int rows, int columns, double density, test::Random& random, int largest = 127) {
  SparseMatrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const int value = random.chance(density) ? random.between(-largest, largest) : 0;
      if (value == 0) continue;
      matrix.column.push_back(column);
      matrix.value.push_back(static_cast<std::int8_t>(value));
    }
    matrix.first.push_back(matrix.value.size());
  }
  return matrix;
}

std::vector<std::int8_t> random_operand(int columns, int count, test::Random& random, int largest = 127) {
  std::vector<std::int8_t> operand(static_cast<std::size_t>(columns * count));
  for (auto& value : operand) value = static_cast<std::int8_t>(random.between(-largest, largest));
  return operand;
}

struct Shape {
  int rows, columns, count;
  double density;
};

void expect_plain_loops(const Shape& shape, const abi::Configuration& array = abi::Array8x8) {
  test::Random random;
  const auto [rows, columns, count, density] = shape;
  const SparseMatrix matrix = random_matrix(rows, columns, density, random);
  const std::vector<std::int8_t> operand = random_operand(columns, count, random);
  ProductOptions options;
  options.configuration = array;
  options.count = count;
  options.bounds = operand_bounds(matrix, operand, count);
  const Product product(matrix, options);
  functional::FunctionalBus bus(array);
  driver::Device device(bus);
  const ProductRun run = product.run(device, operand);
  EXPECT_EQ(run.values, product.reference(operand));
  EXPECT_FALSE(run.measured_cycles.has_value());
  // Independent of pieces: each piece is rounded, so a result is within half a unit for each from the scaled sum.
  const std::vector<std::int64_t> sums = multiply(matrix, operand, count);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::int64_t bound = options.bounds[i / static_cast<std::size_t>(count)];
    const double scale = bound <= 127 ? 1.0 : 127.0 / static_cast<double>(bound);
    EXPECT_NEAR(run.values[i], static_cast<double>(sums[i]) * scale,
                0.5 * static_cast<double>(product.pieces().size()) + 0.01);
  }
}

TEST(Product, EqualsPlainLoops) {
  for (const Shape& shape : {Shape{1, 1, 1, 1.0}, Shape{1, 7, 3, 0.5}, Shape{9, 1, 1, 1.0}, Shape{33, 65, 1, 0.1},
                             Shape{64, 64, 8, 1.0}, Shape{17, 129, 9, 0.3}, Shape{5, 300, 17, 0.05},
                             Shape{4, 4, 2, 0.0}, Shape{70, 2, 5, 0.7}, Shape{3, 13000, 1, 0.01}})
    expect_plain_loops(shape);
}

TEST(Product, NeedsNoCodedWeights) {
  for (const Shape& shape :
       {Shape{33, 65, 1, 0.1}, Shape{64, 64, 8, 1.0}, Shape{17, 129, 9, 0.3}, Shape{3, 13000, 1, 0.01}})
    expect_plain_loops(shape, abi::Array16x16Compact);
}

TEST(Product, GivesExactSumsWithinInt8) {
  test::Random random;
  const SparseMatrix matrix = random_matrix(20, 30, 0.2, random, 1);
  const std::vector<std::int8_t> operand = random_operand(30, 2, random, 3);
  ProductOptions options;
  options.configuration = abi::Array8x8;
  options.count = 2;
  options.bounds = operand_bounds(matrix, operand, 2);
  const Product product(matrix, options);
  ASSERT_TRUE(product.exact());
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  const ProductRun run = product.run(device, operand);
  const std::vector<std::int64_t> sums = multiply(matrix, operand, 2);
  for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(run.values[i], sums[i]);
}

TEST(Product, PiecesCoverEveryEntryOnce) {
  test::Random random;
  const SparseMatrix matrix = random_matrix(40, 30000, 0.001, random);
  std::size_t covered = 0;
  for (const Piece& piece : cut(matrix, 1, abi::Array8x8)) {
    std::vector<Piece> parts{piece};
    for (int depth = 0; depth < 3; ++depth) {
      std::vector<Piece> smaller;
      for (const Piece& part : parts)
        for (const Piece& half : halves(part, abi::Array8x8)) smaller.push_back(half);
      parts = smaller;
    }
    for (const Piece& part : parts)
      for (int row = part.rows.begin; row < part.rows.end; ++row)
        for (std::size_t i = matrix.first[static_cast<std::size_t>(row)];
             i < matrix.first[static_cast<std::size_t>(row) + 1]; ++i)
          covered += matrix.column[i] >= part.columns.begin && matrix.column[i] < part.columns.end ? 1 : 0;
  }
  EXPECT_EQ(covered, matrix.nonzeros());
}

TEST(Product, RefusesWhatDoesNotFit) {
  test::Random random;
  const SparseMatrix matrix = random_matrix(4, 6, 0.5, random);
  ProductOptions options;
  options.configuration = abi::Array8x8;
  options.bounds = {1, 2};
  EXPECT_THROW(Product(matrix, options), Error);
  options.bounds.clear();
  options.count = 0;
  EXPECT_THROW(Product(matrix, options), Error);
  options.count = 1;
  const Product product(matrix, options);
  functional::FunctionalBus bus(abi::Array8x8), other(abi::Array16x16);
  driver::Device device(bus), wrong(other);
  EXPECT_THROW(product.run(device, std::vector<std::int8_t>(5)), Error);
  EXPECT_THROW(product.run(wrong, std::vector<std::int8_t>(6)), Error);
  EXPECT_NO_THROW(product.run(device, std::vector<std::int8_t>(6)));
}

}  // namespace
}  // namespace espalier::matrix

// Properties:
//   - coordinate and array files of every kind of value and symmetry give their matrix; comments and case are free
//   - entries of one place are summed, zeros dropped; values that are no int8 are refused by line, or quantised by row
//   - every damaged, cut or lying file is refused as input with line and action; random damage never crashes
#include "matrix/matrix_market.hpp"

#include <gtest/gtest.h>

#include "esp_error.hpp"
#include "matrix/sparse_matrix.hpp"
#include "random.hpp"

namespace espalier::matrix {
namespace {

std::vector<int> dense(const std::string& text, Quantisation quantisation = Quantisation::Refused) {
  const SparseMatrix matrix = to_integers(read_matrix_market(text, "test.mtx"), quantisation, "test.mtx").matrix;
  const auto columns = static_cast<std::size_t>(matrix.columns);
  std::vector<int> result(static_cast<std::size_t>(matrix.rows) * columns, 0);
  for (int row = 0; row < matrix.rows; ++row)
    for (std::size_t i = matrix.first[static_cast<std::size_t>(row)];
         i < matrix.first[static_cast<std::size_t>(row) + 1]; ++i)
      result[static_cast<std::size_t>(row) * columns + static_cast<std::size_t>(matrix.column[i])] = matrix.value[i];
  return result;
}

TEST(MatrixMarket, ReadsEveryKind) {
  EXPECT_EQ(dense("%%MatrixMarket matrix coordinate integer general\n% note\n\n2 3 3\n1 1 5\n2 3 -128\n1 2 +7\n"),
            (std::vector<int>{5, 7, 0, 0, 0, -128}));
  EXPECT_EQ(dense("%%matrixmarket MATRIX Coordinate REAL General\r\n1 2 1\r\n1 2 -3.0e0\r\n"),
            (std::vector<int>{0, -3}));
  EXPECT_EQ(dense("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n1 1\n2 1"),
            (std::vector<int>{1, 1, 1, 0}));
  EXPECT_EQ(dense("%%MatrixMarket matrix coordinate integer skew-symmetric\n2 2 1\n2 1 9\n"),
            (std::vector<int>{0, -9, 9, 0}));
  EXPECT_EQ(dense("%%MatrixMarket matrix array integer general\n2 2\n1\n2\n0\n4\n"), (std::vector<int>{1, 0, 2, 4}));
  EXPECT_EQ(dense("%%MatrixMarket matrix array integer symmetric\n2 2\n1\n2\n4\n"), (std::vector<int>{1, 2, 2, 4}));
  EXPECT_TRUE(dense("%%MatrixMarket matrix coordinate integer general\n0 0 0\n").empty());
}

TEST(MatrixMarket, SumsEntriesOfOnePlace) {
  EXPECT_EQ(dense("%%MatrixMarket matrix coordinate integer general\n1 2 4\n1 1 100\n1 1 27\n1 2 3\n1 2 -3\n"),
            (std::vector<int>{127, 0}));
}

TEST(MatrixMarket, QuantisesRowsIfTold) {
  const std::string text = "%%MatrixMarket matrix coordinate real general\n2 2 3\n1 1 0.5\n1 2 -1\n2 1 3\n";
  EXPECT_EQ(dense(text, Quantisation::PerRow), (std::vector<int>{64, -127, 3, 0}));
  try {
    dense(text);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Input);
    EXPECT_EQ(error.where(), "test.mtx line 3");
    EXPECT_NE(error.action().find("--quantise"), std::string::npos);
  }
}

void expect_refused(const std::string& text) {
  SCOPED_TRACE(text);
  try {
    dense(text);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::Input || error.code() == ErrorCode::Unsupported);
    EXPECT_NE(error.where().find("line"), std::string::npos);
    EXPECT_FALSE(error.action().empty());
  }
}

TEST(MatrixMarket, RefusesDamagedFiles) {
  for (const char* text : {"",
                           "hello",
                           "%%MatrixMarket matrix coordinate integer\n1 1 0\n",
                           "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n",
                           "%%MatrixMarket matrix array pattern general\n1 1\n",
                           "%%MatrixMarket matrix coordinate integer general\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 999999999999\n1 1 1\n",
                           "%%MatrixMarket matrix coordinate integer general\n99999999999999999999 2 1\n1 1 1\n",
                           "%%MatrixMarket matrix coordinate integer general\n999999999 2 1\n1 1 1\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 -1\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 1\n\n\n\n\n\n\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 1\n2 2 2\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 1\n0 1 1\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 1\n3 1 1\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 1.5\n",
                           "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 300\n",
                           "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 nan\n",
                           "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1e999\n",
                           "%%MatrixMarket matrix coordinate integer symmetric\n2 2 1\n1 2 1\n",
                           "%%MatrixMarket matrix coordinate integer symmetric\n2 3 1\n1 1 1\n",
                           "%%MatrixMarket matrix coordinate integer skew-symmetric\n2 2 1\n1 1 1\n",
                           "%%MatrixMarket matrix array integer general\n4000000 4000000\n1\n",
                           "%%MatrixMarket matrix array integer general\n2 2\n1\n2\n3\n \n\n"})
    expect_refused(text);
}

TEST(MatrixMarket, NeverCrashesOnRandomDamage) {
  const std::string whole =
      "%%MatrixMarket matrix coordinate integer general\n% note\n12 9 6\n1 1 5\n12 9 -8\n3 4 7\n5 5 1\n6 2 2\n7 7 7\n";
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i) {
    test::Random random(static_cast<std::uint64_t>(i));
    std::string text = whole;
    if (random.chance(0.3)) text.resize(static_cast<std::size_t>(random.between(0, static_cast<int>(text.size()))));
    for (int flips = random.between(0, 4); flips > 0 && !text.empty(); --flips)
      text[static_cast<std::size_t>(random.between(0, static_cast<int>(text.size()) - 1))] =
          static_cast<char>(random.chance(0.5) ? random.between('0', '9') : random.between(-128, 127));
    try {
      to_integers(read_matrix_market(text, "test.mtx"), Quantisation::PerRow, "test.mtx");
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::Internal);
    }
  }
}

}  // namespace
}  // namespace espalier::matrix

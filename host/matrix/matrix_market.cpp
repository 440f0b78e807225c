#include "matrix/matrix_market.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "esp_error.hpp"

namespace espalier::matrix {
namespace {

constexpr const char* HeaderExample = "begin the file with '%%MatrixMarket matrix coordinate integer general'";

using Tokens = std::vector<std::string_view>;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  MarketMatrix read() {
    header();
    if (!next()) refuse("the line of sizes is missing", "end of file", "give rows, columns and entries");
    if (coordinate_) {
      coordinates();
    } else {
      array();
    }
    if (next()) refuse("more entries than the line of sizes says", excerpt(), "correct the count or the entries");
    return std::move(matrix_);
  }

 private:
  [[noreturn]] void refuse(const std::string& problem, const std::string& value, const std::string& action) const {
    throw Error(ErrorCode::Input, problem, name_ + " line " + std::to_string(line_number_), value, action);
  }

  std::string excerpt() const {
    constexpr std::size_t longest = 60;
    return std::string(line_.substr(0, longest));
  }

  bool read_line() {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_number_;
    tokens_.clear();
    constexpr std::string_view blanks = " \t\r\v\f";
    for (std::size_t at = line_.find_first_not_of(blanks); at < line_.size();) {
      const std::size_t stop = std::min(line_.find_first_of(blanks, at), line_.size());
      // More tokens than any line has are refused as such; the rest of them need not be kept.
      if (tokens_.size() < 8) tokens_.push_back(line_.substr(at, stop - at));
      at = std::min(line_.find_first_not_of(blanks, stop), line_.size());
    }
    return true;
  }

  /// The next line that is neither empty nor a comment.
  bool next() {
    while (read_line())
      if (!tokens_.empty() && line_[0] != '%') return true;
    return false;
  }

  void header() {
    if (!read_line() || tokens_.size() != 5 || lower(tokens_[0]) != "%%matrixmarket" || lower(tokens_[1]) != "matrix")
      refuse("not a Matrix Market file", excerpt(), HeaderExample);
    const std::string format = lower(tokens_[2]);
    matrix_.field = lower(tokens_[3]);
    matrix_.symmetry = lower(tokens_[4]);
    if (format != "coordinate" && format != "array") refuse("unknown format", excerpt(), HeaderExample);
    coordinate_ = format == "coordinate";
    if (matrix_.field == "complex" || matrix_.symmetry == "hermitian")
      throw Error(ErrorCode::Unsupported, "complex matrices are not executed", name_ + " line 1", excerpt(),
                  "store real and imaginary part as matrices of their own");
    if (matrix_.field != "integer" && matrix_.field != "real" && matrix_.field != "pattern")
      refuse("unknown kind of values", matrix_.field, "use integer, real or pattern");
    if (matrix_.field == "pattern" && !coordinate_)
      refuse("an array has no pattern", excerpt(), "use 'coordinate pattern' or 'array integer'");
    if (matrix_.symmetry != "general" && matrix_.symmetry != "symmetric" && matrix_.symmetry != "skew-symmetric")
      refuse("unknown symmetry", matrix_.symmetry, "use general, symmetric or skew-symmetric");
    if (matrix_.symmetry == "skew-symmetric" && matrix_.field == "pattern")
      refuse("a pattern cannot be skew-symmetric", excerpt(), "use symmetric");
  }

  std::int64_t whole(std::string_view token, const char* what) const {
    if (token.size() > 1 && token[0] == '+' && token[1] != '-') token.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc{} || end != token.data() + token.size())
      refuse(std::string(what) + " is not a whole number of 64 bits", excerpt(), "correct this line");
    return value;
  }

  double value_of(std::string_view token) const {
    if (matrix_.field == "integer") return static_cast<double>(whole(token, "the value"));
    if (token.size() > 1 && token[0] == '+' && token[1] != '-') token.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc{} || end != token.data() + token.size() || !std::isfinite(value))
      refuse("the value is not a finite real number", excerpt(), "correct this line");
    return value;
  }

  /// Rows and columns of the line of sizes.
  void sizes() {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t size = whole(tokens_[i], "a size");
      if (size < 0) refuse("a size is negative", excerpt(), "correct this line");
      if (size > MaxMatrixSize)
        throw Error(ErrorCode::Unsupported, "more rows or columns than are executed",
                    name_ + " line " + std::to_string(line_number_), std::to_string(size),
                    "give a matrix with at most " + std::to_string(MaxMatrixSize));
      (i == 0 ? matrix_.rows : matrix_.columns) = static_cast<int>(size);
    }
    if (matrix_.symmetry != "general" && matrix_.rows != matrix_.columns)
      refuse("a symmetric matrix is not square", excerpt(), "correct the sizes or use general");
  }

  /// Whether the rest of the file is long enough for `count` entries of at least `bytes` each with their line ends.
  void check_room(std::uint64_t count, std::uint64_t bytes) const {
    if (count > (rest_.size() + 1) / bytes)
      refuse("the file is too short for its entries", excerpt(), "correct the count or restore the rest of the file");
  }

  void add(int row, int column, double value) {
    const bool general = matrix_.symmetry == "general";
    if (!general && column > row)
      refuse("an entry above the diagonal of a symmetric matrix", excerpt(),
             "store the lower half only, or use general");
    if (matrix_.symmetry == "skew-symmetric" && row == column)
      refuse("an entry on the diagonal of a skew-symmetric matrix", excerpt(), "leave out the diagonal");
    matrix_.entries.push_back({row, column, value, line_number_});
    if (general || row == column) return;
    matrix_.entries.push_back({column, row, matrix_.symmetry == "symmetric" ? value : -value, line_number_});
  }

  void coordinates() {
    if (tokens_.size() != 3) refuse("not rows, columns and entries", excerpt(), "give three numbers");
    sizes();
    const std::int64_t count = whole(tokens_[2], "the number of entries");
    if (count < 0) refuse("the number of entries is negative", excerpt(), "correct this line");
    const bool pattern = matrix_.field == "pattern";
    check_room(static_cast<std::uint64_t>(count), pattern ? 4 : 6);
    matrix_.entries.reserve(static_cast<std::size_t>(count) * (matrix_.symmetry == "general" ? 1 : 2));
    for (std::int64_t i = 0; i < count; ++i) {
      if (!next())
        refuse("the file ends after " + std::to_string(i) + " of " + std::to_string(count) + " entries", "end of file",
               "correct the count or restore the rest of the file");
      if (tokens_.size() != (pattern ? 2U : 3U))
        refuse(pattern ? "not a row and a column" : "not a row, a column and a value", excerpt(), "correct this line");
      const std::int64_t row = whole(tokens_[0], "the row"), column = whole(tokens_[1], "the column");
      if (row < 1 || row > matrix_.rows || column < 1 || column > matrix_.columns)
        refuse(
            "an entry outside the matrix of " + std::to_string(matrix_.rows) + " x " + std::to_string(matrix_.columns),
            excerpt(), "rows and columns count from 1");
      add(static_cast<int>(row - 1), static_cast<int>(column - 1), pattern ? 1.0 : value_of(tokens_[2]));
    }
  }

  void array() {
    if (tokens_.size() != 2) refuse("not rows and columns", excerpt(), "give two numbers");
    sizes();
    const bool general = matrix_.symmetry == "general", skew = matrix_.symmetry == "skew-symmetric";
    const auto rows = static_cast<std::uint64_t>(matrix_.rows), columns = static_cast<std::uint64_t>(matrix_.columns);
    const std::uint64_t all = rows * columns;
    check_room(general ? all : (skew ? (all - rows) / 2 : (all + rows) / 2), 2);
    for (int column = 0; column < matrix_.columns; ++column)
      for (int row = general ? 0 : column + (skew ? 1 : 0); row < matrix_.rows; ++row) {
        if (!next())
          refuse("the file ends before row " + std::to_string(row + 1) + " of column " + std::to_string(column + 1),
                 "end of file", "give every value, column by column");
        if (tokens_.size() != 1) refuse("not one value", excerpt(), "give one value in each line");
        const double value = value_of(tokens_[0]);
        if (value < 0 || value > 0) add(row, column, value);
      }
  }

  std::string_view rest_, line_;
  const std::string& name_;
  std::size_t line_number_ = 0;
  Tokens tokens_;
  bool coordinate_ = true;
  MarketMatrix matrix_;
};

}  // namespace

MarketMatrix read_matrix_market(std::string_view text, const std::string& name) { return Reader(text, name).read(); }

}  // namespace espalier::matrix

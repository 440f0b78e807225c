#include "matrix/sparse_matrix.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "esp_error.hpp"

namespace espalier::matrix {
namespace {

/// The shortest decimals that stand for this value alone.
std::string text_of(double value) {
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), written.ptr};
}

/// The entries of every row by ascending column, one for each place.
std::vector<MarketEntry> merged(const MarketMatrix& market, const std::string& name) {
  std::vector<MarketEntry> entries = market.entries;
  std::stable_sort(entries.begin(), entries.end(), [](const MarketEntry& a, const MarketEntry& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  std::size_t count = 0;
  for (const MarketEntry& entry : entries) {
    if (count > 0 && entries[count - 1].row == entry.row && entries[count - 1].column == entry.column) {
      entries[count - 1].value += entry.value;
      entries[count - 1].line = entry.line;
    } else {
      entries[count++] = entry;
    }
    if (!std::isfinite(entries[count - 1].value))
      throw Error(ErrorCode::Input, "the sum of the entries of one place is not finite",
                  name + " line " + std::to_string(entry.line), text_of(entry.value), "correct the entries");
  }
  entries.resize(count);
  std::erase_if(entries, [](const MarketEntry& entry) { return !(entry.value < 0 || entry.value > 0); });
  return entries;
}

bool is_int8(double value) { return value >= -128 && value <= 127 && std::nearbyint(value) - value == 0; }

/// Appends one row.
void add_row(std::span<const MarketEntry> row, Quantisation quantisation, const std::string& name,
             IntegerMatrix& result) {
  double largest = 0;
  const auto other = std::find_if(row.begin(), row.end(), [](const MarketEntry& e) { return !is_int8(e.value); });
  if (other != row.end()) {
    if (quantisation == Quantisation::Refused)
      throw Error(ErrorCode::Input, "the value is not a whole number from -128 to 127",
                  name + " line " + std::to_string(other->line), text_of(other->value),
                  "quantise it, which --quantise does for every row, or scale the matrix");
    for (const MarketEntry& entry : row) largest = std::max(largest, std::abs(entry.value));
    ++result.quantised_rows;
  }
  for (const MarketEntry& entry : row) {
    const double wanted = largest > 0 ? entry.value / largest * 127 : entry.value;
    const double whole = std::nearbyint(wanted);
    if (largest > 0) result.relative_error = std::max(result.relative_error, std::abs(wanted - whole) / 127);
    const auto value = static_cast<std::int8_t>(whole);
    if (value == 0) {
      ++result.lost;
      continue;
    }
    result.matrix.column.push_back(entry.column);
    result.matrix.value.push_back(value);
  }
  result.matrix.first.push_back(result.matrix.value.size());
  result.unit.push_back(largest > 0 ? largest / 127 : 1.0);
}

}  // namespace

IntegerMatrix to_integers(const MarketMatrix& market, Quantisation quantisation, const std::string& name) {
  const std::vector<MarketEntry> entries = merged(market, name);
  IntegerMatrix result;
  result.matrix.rows = market.rows;
  result.matrix.columns = market.columns;
  std::size_t begin = 0;
  for (int row = 0; row < market.rows; ++row) {
    std::size_t end = begin;
    while (end < entries.size() && entries[end].row == row) ++end;
    add_row(std::span(entries).subspan(begin, end - begin), quantisation, name, result);
    begin = end;
  }
  return result;
}

void check_operand(const SparseMatrix& matrix, std::span<const std::int8_t> operand, int count) {
  if (count < 1 || operand.size() != static_cast<std::size_t>(matrix.columns) * static_cast<std::size_t>(count))
    throw Error(ErrorCode::Input, "the operand does not have one row for each column of the matrix", "matrix product",
                std::to_string(operand.size()) + " elements",
                "give " + std::to_string(matrix.columns) + " rows of at least one element");
}

std::vector<std::int64_t> multiply(const SparseMatrix& matrix, std::span<const std::int8_t> operand, int count) {
  check_operand(matrix, operand, count);
  const auto width = static_cast<std::size_t>(count);
  std::vector<std::int64_t> result(static_cast<std::size_t>(matrix.rows) * width);
  for (std::size_t row = 0; row < static_cast<std::size_t>(matrix.rows); ++row)
    for (std::size_t i = matrix.first[row]; i < matrix.first[row + 1]; ++i)
      for (std::size_t n = 0; n < width; ++n)
        result[row * width + n] +=
            std::int64_t{matrix.value[i]} * operand[static_cast<std::size_t>(matrix.column[i]) * width + n];
  return result;
}

}  // namespace espalier::matrix

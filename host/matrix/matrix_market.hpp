// Matrix Market files, as NIST defines them (Boisvert, Pozo, Remington: The Matrix Market Exchange Formats, 1996).
//
//   MarketMatrix market = read_matrix_market(text, "web.mtx");
//   IntegerMatrix matrix = to_integers(market, Quantisation::Refused, "web.mtx");
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::matrix {

/// One stored value; row and column count from 0, `line` is where it stands in the file, from 1.
struct MarketEntry {
  int row = 0;
  int column = 0;
  double value = 0;
  std::size_t line = 0;
};

/// A file as read: entries in the order of the file, those of a symmetric half followed by their mirror image.
/// Entries of one place are to be summed.
struct MarketMatrix {
  int rows = 0;
  int columns = 0;
  std::string field;     // "integer", "real" or "pattern" (every value is 1)
  std::string symmetry;  // "general", "symmetric" or "skew-symmetric"
  std::vector<MarketEntry> entries;
};

/// Rows and columns that a matrix may have.
inline constexpr int MaxMatrixSize = 1 << 24;

/// Reads `coordinate integer|real|pattern` and `array integer|real`, each `general|symmetric|skew-symmetric`. Sizes are
/// compared with the length of the text before memory is taken. Throws Error (Input) naming the line, its value and
/// what to do; Error (Unsupported) for complex and hermitian matrices and for more than MaxMatrixSize rows or columns.
MarketMatrix read_matrix_market(std::string_view text, const std::string& name);

}  // namespace espalier::matrix

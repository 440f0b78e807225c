// Tables of text with aligned columns, and the tables of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/report.hpp"

namespace espalier::tools {

enum class Align { Left, Right };

/// Bytes of a layer's name in a table: exporters write names of hundreds. JSON has them whole.
inline constexpr std::size_t LayerNameBytes = 44;

/// `name` if it has at most `most` bytes, else its beginning and an ellipsis; UTF-8 stays whole.
std::string shortened(const std::string& name, std::size_t most);

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::Right;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Adds a row; it has as many cells as the table has columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// A line between the rows before and after.
  void add_rule() { rows_.emplace_back(); }
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t value);

/// A number of cycles, or a dash if the device has no clock.
std::string cycles_text(const std::optional<std::uint64_t>& cycles);

/// Predicted and measured cycles of a row in a table: those of all that runs together with it, or words that they are
/// in the row above.
struct CycleCells {
  std::string predicted, measured;
};
CycleCells cycle_cells(const run::LayerRow& together, bool with_above);

/// 0.4375 as "43.8%".
std::string percent(double share);

/// The bound of most cycles; empty if no row has one.
std::string main_bound(const std::vector<run::LayerRow>& rows);

/// The totals of a report as a row of its own, with the bound of most cycles.
run::LayerRow total_row(const run::RunReport& report, std::string name);

/// The table of layers with its totals. Rows without a bound show a dash, the total that of most cycles.
std::string layer_table(const run::RunReport& report);

}  // namespace espalier::tools

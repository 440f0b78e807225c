// Charts as inline SVG; colours come from the CSS variables of the page around them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::tools {

/// Text with &, <, > and quotes replaced, for HTML and SVG.
std::string escaped(const std::string& text);

/// A row of a bar chart: a wide pale bar, a narrow strong bar in it, and a tick.
struct Bar {
  std::string label;
  double back = 0;
  std::optional<double> front;
  std::optional<double> tick;
  std::string value;  // printed right of the row
  std::string hint;   // shown by the browser when the mouse rests on the row
};

/// Horizontal bars from 0 to `limit`, with a grid; axis labels are `axis` at 0, 1/4, ... 1.
std::string bar_chart(const std::vector<Bar>& bars, double limit, const std::vector<std::string>& axis);

/// A piece of a stacked bar.
struct Share {
  std::string label;
  std::uint64_t amount = 0;
};

/// One stacked bar with its legend; empty shares are left out of the bar and stay in the legend.
std::string stacked_bar(const std::vector<Share>& shares);

}  // namespace espalier::tools

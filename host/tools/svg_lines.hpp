// Line and band charts as inline SVG; colours come from the CSS of the page around them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace espalier::tools {

struct ChartAxis {
  std::string title;
  std::vector<double> ticks;  // the first and the last are the ends
  std::vector<std::string> labels;
  bool logarithmic = true;
};

/// 1, 2 and 5 of every decade that holds low..high, labelled by `unit` values such as 1e6 = "M"; at least two ticks.
ChartAxis logarithmic_axis(const std::string& title, double low, double high);

/// One line; where a value is missing the line is broken.
struct ChartLine {
  std::string label;
  std::string style;  // CSS classes
  std::vector<double> x;
  std::vector<std::optional<double>> y;
  bool points = false;  // a dot at every value
};

/// Lines over the two axes, with hints on the dots.
std::string line_chart(const ChartAxis& x, const ChartAxis& y, const std::vector<ChartLine>& lines);

/// The legend of lines.
std::string line_legend(const std::vector<ChartLine>& lines);

/// A column of coloured pieces over an interval of x, from the top down.
struct ChartColumn {
  double from = 0, to = 0;
  std::string head;  // printed above
  struct Piece {
    double share = 0;  // of the column's height
    int colour = 0;    // class c0, c1, ...
    std::string hint;
  };
  std::vector<Piece> pieces;
};
std::string column_chart(const ChartAxis& x, const std::vector<ChartColumn>& columns, const std::string& top,
                         const std::string& bottom);

}  // namespace espalier::tools

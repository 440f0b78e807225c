// The page that says what a new operator touches names lines that are there.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace espalier::test {
namespace {

std::string text_of(const std::string& file) {
  std::ifstream stream(std::string(ESPALIER_SOURCE) + "/" + file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The text between the back-quotes of a table's cell.
std::string quoted(const std::string& cell) {
  const std::size_t first = cell.find('`'), last = cell.rfind('`');
  return first == last ? "" : cell.substr(first + 1, last - first - 1);
}

TEST(Contributing, LinesOfTheExampleAreInTheirFiles) {
  std::istringstream page(text_of("host/README.md"));
  std::string op;
  int rows = 0;
  for (std::string line; std::getline(page, line);) {
    const std::string mark = "<!-- operator: ";
    if (line.starts_with(mark)) op = line.substr(mark.size(), line.find(" -->") - mark.size());
    if (line == "<!-- end -->") op.clear();
    if (op.empty() || !line.starts_with("| ") || line.find("| `") == std::string::npos) continue;
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    ASSERT_GE(cells.size(), 5U) << line;
    const std::string file = quoted(cells[2]), content = quoted(cells[3]);
    EXPECT_NE(text_of(file).find(content), std::string::npos) << file << " has no " << content;
    EXPECT_NE((content + file).find(op == "HardSwish" ? "hard" : op), std::string::npos) << line;
    ++rows;
  }
  EXPECT_GE(rows, 6);
}

}  // namespace
}  // namespace espalier::test

#include "labels.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "files.hpp"

namespace espalier::tools {

std::vector<std::string> read_labels(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::vector<std::string> labels;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.push_back(line);
  }
  return labels;
}

std::vector<std::size_t> largest(const std::vector<double>& values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](std::size_t a, std::size_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  order.resize(count);
  return order;
}

Json labels_json(const run::Output& output, const std::vector<std::string>& labels, std::size_t count) {
  Json json = Json::array();
  for (const std::size_t index : largest(output.values, count))
    json.push_back({{"label", index < labels.size() ? Json(labels[index]) : Json(nullptr)},
                    {"index", index},
                    {"value", output.values[index]}});
  return json;
}

}  // namespace espalier::tools

#include "compress/codebook.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace espalier::compress {
namespace {

constexpr int Lowest = -128;
constexpr std::size_t Values = 256;

using Table = std::array<std::int8_t, Values>;  // what each int8 value becomes, from -128

std::size_t index_of(int value) { return static_cast<std::size_t>(value - Lowest); }

/// The values that occur, in rising order, and sums over them: cost and centre of a run of neighbours.
class Runs {
 public:
  explicit Runs(const std::array<double, Values>& mass) {
    for (int value = Lowest; value < Lowest + static_cast<int>(Values); ++value) {
      const double m = mass[index_of(value)];
      if (!(m > 0)) continue;
      values_.push_back(value);
      const double v = value;
      mass_.push_back(mass_.back() + m);
      first_.push_back(first_.back() + m * v);
      second_.push_back(second_.back() + m * v * v);
    }
  }
  std::size_t size() const { return values_.size(); }
  int value(std::size_t i) const { return values_[i]; }
  /// The integer nearest to the mean of values begin..end-1: the cost is quadratic around the mean.
  int centre(std::size_t begin, std::size_t end) const {
    return static_cast<int>(std::nearbyint((first_[end] - first_[begin]) / (mass_[end] - mass_[begin])));
  }
  double cost(std::size_t begin, std::size_t end) const {
    const double c = centre(begin, end);
    return (second_[end] - second_[begin]) - 2 * c * (first_[end] - first_[begin]) +
           c * c * (mass_[end] - mass_[begin]);
  }

 private:
  std::vector<int> values_;
  std::vector<double> mass_{0}, first_{0}, second_{0};
};

/// Splits the values into at most `count` runs of least cost.
Table best_table(const Runs& runs, std::size_t count) {
  const std::size_t n = runs.size();
  count = std::min(count, n);
  std::vector least(count + 1, std::vector<double>(n + 1, std::numeric_limits<double>::infinity()));
  std::vector from(count + 1, std::vector<std::size_t>(n + 1, 0));
  least[0][0] = 0;
  for (std::size_t k = 1; k <= count; ++k)
    for (std::size_t end = k; end <= n; ++end)
      for (std::size_t begin = k - 1; begin < end; ++begin) {
        const double cost = least[k - 1][begin] + runs.cost(begin, end);
        if (!(cost < least[k][end])) continue;
        least[k][end] = cost;
        from[k][end] = begin;
      }
  Table table{};
  for (std::size_t k = count, end = n; k > 0; end = from[k--][end])
    for (std::size_t i = from[k][end]; i < end; ++i)
      table[index_of(runs.value(i))] = static_cast<std::int8_t>(runs.centre(from[k][end], end));
  return table;
}

}  // namespace

void share_values(std::vector<std::int8_t>& weights, const std::vector<float>& scale, std::size_t count) {
  if (weights.empty()) return;
  const std::size_t row = weights.size() / scale.size();
  std::array<double, Values> mass{};
  bool zeros = false;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double unit = scale[i / row];
    if (weights[i] == 0) {
      zeros = true;
    } else {
      mass[index_of(weights[i])] += unit * unit;
    }
  }
  const Table table = best_table(Runs(mass), zeros ? count - 1 : count);
  for (std::int8_t& weight : weights)
    if (weight != 0) weight = table[index_of(weight)];
}

}  // namespace espalier::compress

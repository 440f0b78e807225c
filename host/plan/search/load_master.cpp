#include "plan/search/load_master.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::plan {
namespace {

constexpr double Tiny = 1e-9;
constexpr int MostPivots = 100;  // per new path; stopping early costs tightness only

/// Gauss and Jordan; the matrix is given by columns and has an inverse.
std::vector<std::vector<double>> inverse_of(const std::vector<std::vector<double>>& columns) {
  const std::size_t size = columns.size();
  std::vector<std::vector<double>> left(size, std::vector<double>(size)), right(size, std::vector<double>(size, 0));
  for (std::size_t row = 0; row < size; ++row) {
    for (std::size_t column = 0; column < size; ++column) left[row][column] = columns[column][row];
    right[row][row] = 1;
  }
  for (std::size_t column = 0; column < size; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column; row < size; ++row)
      if (std::abs(left[row][column]) > std::abs(left[pivot][column])) pivot = row;
    std::swap(left[pivot], left[column]);
    std::swap(right[pivot], right[column]);
    const double scale = left[column][column];
    for (std::size_t index = 0; index < size; ++index) {
      left[column][index] /= scale;
      right[column][index] /= scale;
    }
    for (std::size_t row = 0; row < size; ++row) {
      const double factor = left[row][column];
      if (row == column || factor == 0) continue;
      for (std::size_t index = 0; index < size; ++index) {
        left[row][index] -= factor * left[column][index];
        right[row][index] -= factor * right[column][index];
      }
    }
  }
  return right;
}

}  // namespace

LoadMaster::LoadMaster(const Loads& loads, std::int64_t time, const std::optional<std::int64_t>& deadline)
    : load_unit_(std::max(1.0, static_cast<double>(*std::max_element(loads.begin(), loads.end())))),
      time_unit_(std::max(1.0, static_cast<double>(deadline.value_or(1)))),
      timed_(deadline.has_value()),
      resources_(loads.size()),
      rows_(loads.size() + (timed_ ? 2 : 1)) {
  columns_.push_back(column_of(loads, time));
  const auto busiest = static_cast<std::size_t>(std::max_element(loads.begin(), loads.end()) - loads.begin());
  std::vector<Column> start;
  for (std::size_t row = 0; row < rows_; ++row) {
    const bool last = row + 1 == rows_;
    basis_.push_back(last ? 0 : row == busiest ? Largest : Largest - 1 - static_cast<int>(row));
    if (row == busiest) {
      start.emplace_back(rows_, 0.0);
      std::fill_n(start.back().begin(), resources_, -1.0);
    } else {
      start.push_back(last ? columns_.front() : slack(row));
    }
  }
  inverse_ = inverse_of(start);
  Column right(rows_, 0.0);
  if (timed_) right[resources_] = 1;
  right.back() = 1;
  for (const std::vector<double>& row : inverse_) {
    double sum = 0;
    for (std::size_t index = 0; index < rows_; ++index) sum += row[index] * right[index];
    values_.push_back(std::max(sum, 0.0));
  }
}

LoadMaster::Column LoadMaster::column_of(const Loads& loads, std::int64_t time) const {
  Column column(rows_, 0.0);
  for (std::size_t row = 0; row < resources_; ++row) column[row] = static_cast<double>(loads[row]) / load_unit_;
  if (timed_) column[resources_] = static_cast<double>(time) / time_unit_;
  column.back() = 1;
  return column;
}

LoadMaster::Column LoadMaster::slack(std::size_t row) const {
  Column column(rows_, 0.0);
  column[row] = 1;
  return column;
}

// The duals are the row of the inverse that belongs to the largest load, whose cost is 1.
double LoadMaster::reduced(const Column& column) const {
  double sum = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (basis_[row] != Largest) continue;
    for (std::size_t index = 0; index < rows_; ++index) sum -= inverse_[row][index] * column[index];
  }
  return sum;
}

bool LoadMaster::enter(int variable, const Column& column) {
  Column direction(rows_, 0.0);
  for (std::size_t row = 0; row < rows_; ++row)
    for (std::size_t index = 0; index < rows_; ++index) direction[row] += inverse_[row][index] * column[index];
  std::size_t leaving = rows_;
  for (std::size_t row = 0; row < rows_; ++row)
    if (direction[row] > Tiny &&
        (leaving == rows_ || values_[row] * direction[leaving] < values_[leaving] * direction[row]))
      leaving = row;
  if (leaving == rows_ || basis_[leaving] == Largest) return false;
  const double step = values_[leaving] / direction[leaving];
  for (std::size_t row = 0; row < rows_; ++row)
    if (row != leaving) values_[row] = std::max(values_[row] - step * direction[row], 0.0);
  values_[leaving] = step;
  for (double& one : inverse_[leaving]) one /= direction[leaving];
  for (std::size_t row = 0; row < rows_; ++row) {
    if (row == leaving || direction[row] == 0) continue;
    for (std::size_t index = 0; index < rows_; ++index)
      inverse_[row][index] -= direction[row] * inverse_[leaving][index];
  }
  basis_[leaving] = variable;
  return true;
}

// One pivot of the best slack or known path; false if there is none.
bool LoadMaster::improve() {
  double best = -Tiny;
  int entering = Largest;
  for (std::size_t row = 0; row + 1 < rows_; ++row)
    if (const double cost = reduced(slack(row)); cost < best) {
      best = cost;
      entering = Largest - 1 - static_cast<int>(row);
    }
  for (std::size_t path = 0; path < columns_.size(); ++path)
    if (const double cost = reduced(columns_[path]); cost < best) {
      best = cost;
      entering = static_cast<int>(path);
    }
  if (entering == Largest) return false;
  return enter(entering, entering >= 0 ? columns_[static_cast<std::size_t>(entering)]
                                       : slack(static_cast<std::size_t>(Largest - 1 - entering)));
}

bool LoadMaster::add(const Loads& loads, std::int64_t time) {
  columns_.push_back(column_of(loads, time));
  bool changed = false;
  for (int pivot = 0; pivot < MostPivots && improve(); ++pivot) changed = true;
  return changed;
}

LoadPrices LoadMaster::prices() const {
  LoadPrices prices{std::vector<double>(resources_, 0.0), 0};
  double sum = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (basis_[row] != Largest) continue;
    for (std::size_t index = 0; index < resources_; ++index) {
      prices.loads[index] = std::max(-inverse_[row][index], 0.0);
      sum += prices.loads[index];
    }
    if (timed_) prices.time = std::max(-inverse_[row][resources_], 0.0) * load_unit_ / time_unit_;
  }
  if (sum <= 0) return {std::vector<double>(resources_, 1.0 / static_cast<double>(resources_)), 0};
  for (double& price : prices.loads) price /= sum;
  prices.time /= sum;
  return prices;
}

}  // namespace espalier::plan

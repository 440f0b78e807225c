// The linear program under the throughput objective: shares of known paths whose mixed largest load is least, with the
// mean time below the deadline. Its prices say which path to look for next (column generation; Dantzig and Wolfe,
// "Decomposition principle for linear programs", Operations Research 1960).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::plan {

/// Multipliers of the relaxed problem: at least 0; those of the loads sum to 1.
struct LoadPrices {
  std::vector<double> loads;
  double time = 0;  // load units per nanosecond
};

class LoadMaster {
 public:
  using Loads = std::vector<std::int64_t>;
  /// Starts from one path whose time is within the deadline.
  LoadMaster(const Loads& loads, std::int64_t time, const std::optional<std::int64_t>& deadline);

  /// Another path; the shares are optimal again afterwards. False if it does not change them.
  bool add(const Loads& loads, std::int64_t time);
  LoadPrices prices() const;

 private:
  using Column = std::vector<double>;
  static constexpr int Largest = -1;  // the variable of the largest load; slacks are below it

  bool improve();
  bool enter(int variable, const Column& column);
  Column column_of(const Loads& loads, std::int64_t time) const;
  double reduced(const Column& column) const;
  Column slack(std::size_t row) const;

  double load_unit_, time_unit_;
  bool timed_;
  std::size_t resources_, rows_;
  std::vector<Column> columns_;               // of the paths
  std::vector<int> basis_;                    // per row: a path, Largest, or Largest - 1 - row of a slack
  std::vector<std::vector<double>> inverse_;  // of the basis
  std::vector<double> values_;                // of the basic variables
};

}  // namespace espalier::plan

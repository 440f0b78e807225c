#include "compile/strips.hpp"

#include <algorithm>

namespace espalier::compile {
namespace {

constexpr int MostStrips = 16;

/// Cycles between compute commands that follow each other, and what starting a strip costs beside them.
constexpr double CommandCycles = 4;
constexpr double StripCycles = 24;

/// More strips are made if they lower the cost to this share.
constexpr double Better = 0.999;

/// Cycles until everything is stored. Reads are served in order, weights before the inputs of the next strip.
double cost(const StripProblem& problem, const std::vector<int>& strips) {
  double read = 0, computed = 0, stored = 0, loaded = 0;
  int row = 0;
  for (const int rows : strips) {
    row += rows;
    const double all = (problem.loaded_rows + (problem.height - 1) * problem.rows_per_row) * problem.load;
    const double needed = (problem.loaded_rows + (row - 1) * problem.rows_per_row) * problem.load;
    read += std::min(needed, all) - loaded;
    loaded = std::min(needed, all);
    computed = std::max(computed, read) + StripCycles + CommandCycles * problem.chunks;
    read += problem.weights;
    computed = std::max(computed + problem.compute * rows, read);
    if (problem.store_rows) stored = std::max(stored, computed) + problem.store * rows;
  }
  // The results of the chunks before the last one are stored meanwhile.
  const double last = problem.store_rows ? strips.back() : problem.height;
  const double behind = problem.store * last / problem.chunks;
  return std::max(computed + behind, problem.store_rows ? stored - problem.store * last + behind : 0.0);
}

/// `count` strips of about equal height after a first one of `first` rows; 0: all of them.
std::vector<int> strips_of(const StripProblem& problem, int first, int count) {
  std::vector<int> strips;
  int left = problem.height;
  if (first > 0) {
    strips.push_back(std::min({first, left, problem.most}));
    left -= strips.back();
  }
  const int rows = std::min(problem.most, (left + count - 1) / std::max(1, count));
  for (; left > 0; left -= strips.back()) strips.push_back(std::min(rows, left));
  return strips;
}

}  // namespace

std::vector<int> chosen_strips(const StripProblem& problem, const StripChoice& choice) {
  return strips_of(problem, choice.first, std::max(1, choice.first > 0 ? choice.count - 1 : choice.count));
}

std::vector<int> estimate_strips(const StripProblem& problem) {
  std::vector<int> best = strips_of(problem, 0, 1);
  double least = cost(problem, best);
  for (int count = 1; count <= std::min(MostStrips, problem.height); ++count) {
    for (int first = 0; first <= problem.height / 2; first = 2 * first + (first == 0 ? 1 : 0)) {
      std::vector<int> strips = strips_of(problem, first, count);
      const double cycles = cost(problem, strips);
      if (cycles >= Better * least) continue;
      least = cycles;
      best = std::move(strips);
    }
  }
  return best;
}

}  // namespace espalier::compile

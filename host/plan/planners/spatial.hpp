// What the planners of tiles share: workers, speeds, and the fusion of layers by dynamic programming.
#pragma once

#include <functional>
#include <vector>

#include "plan/cost/plan_data.hpp"
#include "plan/cost/tiles.hpp"

namespace espalier::plan {

/// Home first, then every device with links from and to home.
std::vector<int> workers(const Problem& problem);

/// Speeds over layers first..last in one variant, for row_tiles; 0 for a device that cannot run them.
std::vector<std::int64_t> speeds(const Problem& problem, int variant, int first, int last,
                                 const std::vector<int>& devices);

/// A run of layers between positions with a single tensor, and how it may run.
struct Piece {
  int first = 0, last = 0;
  std::vector<Tile> tiles;  // none: home alone
};
/// The candidates for a run; the first of the cheapest is taken.
using Candidates = std::function<std::vector<Piece>(int first, int last)>;

/// The sum of latencies, nanoseconds * Whole, of a piece that starts from and ends at home.
std::int64_t piece_cost(const Problem& problem, int policy, int variant, const Piece& piece);

/// dp[f] = min over g of cost(f..g) + dp[g + 1]: the sequence of pieces of least sum; empty if there is none.
std::vector<Piece> best_pieces(const Problem& problem, int policy, int variant, const Candidates& candidates);

/// The plan of pieces, all from home to home.
SharedPlan pieces_plan(const Problem& problem, int policy, int variant, const std::vector<Piece>& pieces);

/// The longest range from the first layer on that can be tiled as a whole; last is -1 if there is none.
std::pair<int, int> tileable_prefix(const Problem& problem, int policy);

}  // namespace espalier::plan

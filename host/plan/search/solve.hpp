// Ours: the exact joint choice of policy (exits), cut set with any number of crossings, variant and tile grid under a
// deadline, with a certificate.
//
//   PreparedProblem prepared(problem);
//   SharedPlan plan = prepared.solve(request);
//   prepared.set_link(0, 125000, 10'000'000);
//   SharedPlan next = prepared.solve(request, {.labels = 4000});
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "plan/cost/plan_data.hpp"
#include "plan/cost/tiles.hpp"
#include "plan/search/multipliers.hpp"
#include "plan/search/state_graph.hpp"

namespace espalier::plan {

struct Effort {
  std::size_t labels = 30'000;  // of all policies and variants; fewer may leave a gap, which the certificate states
};

class PreparedProblem {
 public:
  /// Builds everything that links and loads do not change. Throws Error (Input) for a problem that is not valid, Error
  /// (Unsupported) for one with too many branches.
  explicit PreparedProblem(Problem problem);

  const Problem& problem() const { return problem_; }
  /// A link's bandwidth (bytes per second, 0: down) and latency as measured now.
  void set_link(int link, std::int64_t bytes_per_second, Nanoseconds latency);
  /// A device's load: Whole is none, twice as much halves its speed.
  void set_load(int device, BasisPoints load);

  /// A plan that solve() may start from: found for this problem with links and loads like those to come. What solve()
  /// proves does not depend on it.
  void keep(const Request& request, SharedPlan plan);

  /// The best plan. Throws Error (Unsupported) naming what stands in the way if no plan meets floor and deadline.
  SharedPlan solve(const Request& request, const Effort& effort = {}) const;

 private:
  struct Kept {
    Request request;
    SharedPlan plan;
  };
  std::optional<LoadStart> kept_start(const Request& request, int policy, int variant) const;

  Problem problem_;
  std::vector<StateGraph> graphs_;                // per policy
  std::vector<std::vector<TilingShape>> shapes_;  // per variant
  std::vector<Kept> kept_;
};

}  // namespace espalier::plan

// DADS: a branching network on device and server by minimum cut; light load for latency, heavy load for throughput.
//
// Hu, Bao, Wang, Liu, "Dynamic Adaptive DNN Surgery for Inference Acceleration on the Edge", INFOCOM 2019. Light load
// (DSL): least Te + Tt + Tc, one auxiliary node per tensor so that it is sent once. The published graph has no cost for
// a tensor that comes back; here a second auxiliary node charges it (WayBack::Charged). Heavy load (DSH): least max(Te,
// Tt, Tc) by light-load cuts with weights (alpha, 1, gamma) on a coarse grid that is refined around the best. Ours:
// answers return home and pay, energy as an objective, of several servers the best.
#include "plan/planners/actions.hpp"
#include "plan/planners/placement_cut.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan dads(const Problem& problem, const Request& request) {
  if (request.objective == Objective::Throughput) return dads_heavy(problem, request);
  const int policy = full_policy(problem), variant = full_variant(problem);
  Choose choose;
  for (const int server : partners(problem)) {
    const std::optional<PlacementCut> cut =
        placement_cut(problem, request.objective, policy, variant, server, WayBack::Charged, {}, 0,
                      static_cast<int>(needed_layers(problem, policy).size()));
    if (cut) choose.offer(placement_plan(problem, policy, variant, server, *cut), cut->value);
  }
  return choose.take(problem, "dads", "minimum cut between device and server, ways back charged");
}

SharedPlan dads_heavy(const Problem& problem, const Request&) {
  constexpr std::int64_t Unit = 8;  // weights are in eighths of the link's
  constexpr std::int64_t Most = 64;
  const int policy = full_policy(problem), variant = full_variant(problem);
  const int layers = static_cast<int>(needed_layers(problem, policy).size());
  Choose choose;
  for (const int server : partners(problem)) {
    std::int64_t best_home = Unit, best_server = Unit;
    const auto attempt = [&](std::int64_t home, std::int64_t away) {
      if (home < 0 || away < 0 || home + away == 0) return;
      const std::optional<PlacementCut> cut = placement_cut(problem, Objective::Latency, policy, variant, server,
                                                            WayBack::Charged, {home, Unit, away}, 0, layers);
      if (!cut) return;
      SharedPlan plan = placement_plan(problem, policy, variant, server, *cut);
      const Evaluation cost = evaluate(problem, plan);
      if (!cost.feasible || cost.bottleneck >= choose.value()) return;
      best_home = home;
      best_server = away;
      choose.offer(std::move(plan), cost.bottleneck);
    };
    for (std::int64_t home = 0; home <= Most; home += Unit)
      for (std::int64_t away = 0; away <= Most; away += Unit) attempt(home, away);
    for (std::int64_t step = Unit / 2; step > 0; step /= 2) {
      const std::int64_t around_home = best_home, around_server = best_server;
      for (std::int64_t home = -step; home <= step; home += step)
        for (std::int64_t away = -step; away <= step; away += step) attempt(around_home + home, around_server + away);
    }
  }
  return choose.take(problem, "dads_heavy", "weighted minimum cuts, the one with the least busiest stage");
}

}  // namespace espalier::plan

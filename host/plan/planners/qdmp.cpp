// QDMP: the minimum cut found between two neighbouring cut vertices, so that small networks are cut instead of a large
// one.
//
// S. Zhang et al., "Towards Real-time Cooperative Deep Inference over the Cloud and Edge End Devices", IMWUT 2020: with
// a tensor never going back, the optimum lies between two adjacent vertices that every path passes. Ours: answers
// return home and pay, energy as an objective, of several servers the best.
#include "plan/planners/actions.hpp"
#include "plan/planners/placement_cut.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan qdmp(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem), variant = full_variant(problem);
  const Objective objective = request.objective == Objective::Energy ? Objective::Energy : Objective::Latency;
  std::vector<int> blocks = cut_positions(problem, policy);
  blocks.insert(blocks.begin(), 0);
  Choose choose;
  for (const int server : partners(problem)) {
    for (std::size_t block = 0; block + 1 < blocks.size(); ++block) {
      const std::optional<PlacementCut> cut = placement_cut(problem, objective, policy, variant, server,
                                                            WayBack::Forbidden, {}, blocks[block], blocks[block + 1]);
      if (cut) choose.offer(placement_plan(problem, policy, variant, server, *cut), cut->value);
    }
  }
  return choose.take(problem, "qdmp", "minimum cut within one block between cut vertices, no way back");
}

}  // namespace espalier::plan

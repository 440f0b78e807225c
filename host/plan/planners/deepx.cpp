// DeepX: unit-blocks of the network on the processors of one machine, with a compression level, under deadline and
// memory.
//
// Lane et al., "DeepX: A Software Accelerator for Low-Power Deep Learning Inference on Mobile Devices", IPSN 2016, in
// the manner of its decomposition: blocks to local processors, no network. Ours: the compression level is one measured
// variant for the whole network, blocks end where one tensor alone is alive, and the integer program is solved by
// enumeration of all placements with at most two changes of processor.
#include <algorithm>

#include "plan/planners/actions.hpp"
#include "plan/planners/planner.hpp"

namespace espalier::plan {

SharedPlan deepx(const Problem& problem, const Request& request) {
  const int policy = full_policy(problem);
  std::vector<int> processors;
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device)
    if (problem.devices[static_cast<std::size_t>(device)].kind != DeviceKind::Remote) processors.push_back(device);
  std::vector<int> cuts = cut_positions(problem, policy);
  cuts.insert(cuts.begin(), 0);
  std::vector<int> devices(static_cast<std::size_t>(cuts.back()));
  Choose choose;
  const auto offer = [&] {
    for (int variant = 0; variant < static_cast<int>(problem.variants.size()); ++variant) {
      SharedPlan plan = placed(problem, policy, variant, devices);
      const std::int64_t cost = value(problem, request, evaluate(problem, plan));
      choose.offer(std::move(plan), cost);
    }
  };
  for (std::size_t one = 0; one < cuts.size(); ++one) {
    for (std::size_t two = one; two < cuts.size(); ++two) {
      for (const int first : processors) {
        for (const int second : processors) {
          if ((second == first) != (two == one)) continue;
          for (const int third : processors) {
            if (third == second && cuts[two] != cuts.back() && two != one) continue;
            std::fill(devices.begin(), devices.begin() + cuts[one], first);
            std::fill(devices.begin() + cuts[one], devices.begin() + cuts[two], second);
            std::fill(devices.begin() + cuts[two], devices.end(), third);
            offer();
          }
        }
      }
    }
  }
  return choose.take(problem, "deepx", "blocks on the processors of this machine, with one compression level");
}

}  // namespace espalier::plan

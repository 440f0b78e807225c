// The steps of place(): which layers can be on the accelerator in which groups, and what everything costs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/placement/candidates.hpp"
#include "plan/placement/place.hpp"
#include "plan/placement/placement_problem.hpp"

namespace espalier::plan {

/// Groups of layers for the accelerator, each ascending; all other layers are on the host.
using Groups = std::vector<std::vector<int>>;

class Placer {
 public:
  Placer(const model::Network& network, const abi::Configuration& configuration, CpuCosts& costs,
         const PlaceOptions& options);

  MixedPlan run();

 private:
  std::size_t layers() const { return network_.layers.size(); }
  bool allowed(std::size_t layer) const;
  void refuse(std::size_t layer, const std::string& reason);
  Groups settle(std::vector<bool> wanted);
  bool divide(const std::vector<int>& group, Groups& result);
  bool find_refused(const std::vector<int>& group);

  Nanoseconds time_of(std::uint64_t cycles) const;
  PlacementProblem make_problem();
  void add_shares(const Groups& groups);
  GroupCandidate candidate(const std::vector<int>& layers);
  Nanoseconds cost_of(const Groups& groups);
  Groups least_latency(const Groups& accelerator_first);
  Groups search(const Groups& accelerator_first, const std::vector<Groups>& known);
  Groups greedy();
  void refuse_host(const Groups& groups) const;

  MixedPlan assemble(const Groups& groups);
  void explain(MixedPlan& plan);
  void add_costs(MixedPlan& plan, const Groups& groups, const Groups& accelerator_first);
  Nanoseconds gain_of(std::size_t layer) const;

  const model::Network& network_;
  const abi::Configuration& configuration_;
  CpuCosts& costs_;
  const PlaceOptions& options_;
  Candidates candidates_;
  std::vector<std::optional<Place>> pins_;
  std::vector<std::string> refusals_;  // of layers that are refused alone
  bool with_costs_;
  PlacementProblem problem_;         // with costs; accelerator: bounds of the shares
  std::vector<CpuTime> host_times_;  // with costs
  std::vector<Nanoseconds> shares_;  // with costs: of the group of a layer, without start
  std::vector<std::uint64_t> share_cycles_;
  Certificate certificate_;
};

}  // namespace espalier::plan

#include "plan/planners/actions.hpp"

#include <algorithm>
#include <cstddef>

#include "esp_error.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

std::vector<int> needed_layers(const Problem& problem, int policy) {
  const std::vector<BasisPoints> shares = reach(problem, problem.policies[at(policy)]);
  std::vector<int> layers;
  for (int layer = 0; layer < static_cast<int>(shares.size()); ++layer)
    if (shares[at(layer)] > 0) layers.push_back(layer);
  return layers;
}

int full_policy(const Problem& problem) {
  int best = 0;
  const auto rank = [&](int policy) {
    const std::vector<Policy::Leave>& leaves = problem.policies[at(policy)].leaves;
    return std::pair{leaves.back().exit, -static_cast<int>(leaves.size())};
  };
  for (int policy = 1; policy < static_cast<int>(problem.policies.size()); ++policy)
    if (rank(policy) > rank(best)) best = policy;
  return best;
}

int full_variant(const Problem& problem) {
  const std::vector<BasisPoints>& accuracy = problem.policies[at(full_policy(problem))].accuracy;
  return static_cast<int>(std::max_element(accuracy.begin(), accuracy.end()) - accuracy.begin());
}

std::vector<int> partners(const Problem& problem) {
  std::vector<int> remote, others;
  for (int device = 0; device < static_cast<int>(problem.devices.size()); ++device) {
    if (device == problem.home) continue;
    others.push_back(device);
    if (problem.devices[at(device)].kind == DeviceKind::Remote) remote.push_back(device);
  }
  return remote.empty() ? others : remote;
}

SharedPlan placed(const Problem& problem, int policy, int variant, const std::vector<int>& devices) {
  SharedPlan plan;
  plan.policy = policy;
  plan.variant = variant;
  const std::vector<int> layers = needed_layers(problem, policy);
  for (std::size_t index = 0; index < layers.size(); ++index)
    plan.steps.push_back({layers[index], layers[index], devices[index], {}});
  return plan;
}

SharedPlan cut_plan(const Problem& problem, int policy, int variant, int cut, int before, int after) {
  std::vector<int> devices(needed_layers(problem, policy).size(), after);
  std::fill_n(devices.begin(), cut, before);
  return placed(problem, policy, variant, devices);
}

std::vector<int> cut_positions(const Problem& problem, int policy) {
  const std::vector<int> layers = needed_layers(problem, policy);
  std::vector<int> last_use(problem.layers.size() + 1, -1), positions;
  for (int position = 0; position < static_cast<int>(layers.size()); ++position)
    for (const int input : problem.layers[at(layers[at(position)])].inputs) last_use[at(input + 1)] = position;
  int alive_until = last_use[0];
  for (int position = 0; position < static_cast<int>(layers.size()); ++position) {
    // Nothing made before this layer is read after it.
    if (alive_until <= position) positions.push_back(position + 1);
    alive_until = std::max(alive_until, last_use[at(layers[at(position)] + 1)]);
  }
  return positions;
}

SharedPlan Choose::take(const Problem& problem, const std::string& planner, const std::string& reason) {
  if (none())
    throw Error(ErrorCode::Unsupported, "no plan among the actions of this planner", planner, problem.name,
                "give it more time, another link, or use another planner");
  plan_.explanation.push_back(reason);
  return std::move(plan_);
}

}  // namespace espalier::plan

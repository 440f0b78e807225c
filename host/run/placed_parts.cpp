#include "run/placed_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "esp_error.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/cost/transfer.hpp"

namespace espalier::run {
namespace {

void require_same_layers(const model::Network& network, const plan::Problem& problem) {
  std::vector<int> maker(network.features.size(), plan::NetworkInput);
  for (std::size_t i = 0; i < std::min(network.layers.size(), problem.layers.size()); ++i) {
    std::vector<int> inputs;
    for (const int input : network.layers[i].inputs) inputs.push_back(maker[static_cast<std::size_t>(input)]);
    if (inputs != problem.layers[i].inputs || network.layers[i].name != problem.layers[i].name)
      throw Error(ErrorCode::Input, "the plan is of another network", "layer " + network.layers[i].name,
                  problem.layers[i].name, "plan this network");
    maker[static_cast<std::size_t>(network.layers[i].output)] = static_cast<int>(i);
  }
  if (network.layers.size() != problem.layers.size())
    throw Error(ErrorCode::Input, "the plan is of another network", network.name,
                fmt::format("{} layers, not {}", problem.layers.size(), network.layers.size()), "plan this network");
}

}  // namespace

std::vector<PlacedPart> placed_parts(const model::Network& network, const plan::Problem& problem,
                                     const plan::SharedPlan& plan) {
  require_same_layers(network, problem);
  if (const plan::Evaluation cost = plan::evaluate(problem, plan); !cost.feasible)
    throw Error(ErrorCode::Unsupported, "the plan cannot be executed: " + cost.reason, problem.name, plan.planner,
                "plan again");
  const plan::Policy& policy = problem.policies[static_cast<std::size_t>(plan.policy)];
  for (std::size_t leave = 0; leave + 1 < policy.leaves.size(); ++leave)
    if (policy.leaves[leave].share > 0)
      throw Error(ErrorCode::Unsupported, "samples leave early by the answer of an exit", "policy " + policy.name,
                  plan.planner, "plan with a policy that has one exit, or without");
  const std::vector<plan::BasisPoints> reach = plan::reach(problem, policy);
  std::vector<PlacedPart> parts;
  for (const plan::PlanStep& step : plan.steps) {
    if (!step.tiles.empty())
      throw Error(ErrorCode::Unsupported, "tiles over several machines are not executed", plan.planner,
                  fmt::format("layers {} to {}", step.first, step.last), "plan with --no-tiles");
    const auto device = static_cast<std::size_t>(step.device);
    if (parts.empty() || parts.back().runner != device) parts.push_back({device, {}});
    for (int layer = step.first; layer <= step.last; ++layer)
      if (reach[static_cast<std::size_t>(layer)] > 0) parts.back().layers.push_back(layer);
    if (parts.back().layers.empty()) parts.pop_back();
  }
  return parts;
}

plan::Nanoseconds part_time(const plan::Problem& problem, const plan::SharedPlan& plan, int device,
                            const std::vector<int>& layers) {
  const auto holds = [&](int layer) { return std::find(layers.begin(), layers.end(), layer) != layers.end(); };
  const std::vector<plan::BasisPoints> reach =
      plan::reach(problem, problem.policies[static_cast<std::size_t>(plan.policy)]);
  plan::Nanoseconds time = 0;
  std::size_t found = 0;
  for (const plan::PlanStep& step : plan.steps) {
    if (step.device != device || !step.tiles.empty()) continue;
    std::size_t of_step = 0, needed = 0;
    plan::Nanoseconds alone = 0;
    for (int layer = step.first; layer <= step.last; ++layer) {
      if (reach[static_cast<std::size_t>(layer)] == 0) continue;
      ++needed;
      if (holds(layer)) ++of_step;
      alone = plan::add(alone, plan::layer_cost(problem, plan.variant, layer, device).mean);
    }
    if (of_step == 0) continue;
    if (of_step != needed) break;
    found += of_step;
    const plan::Group* group = plan::find_group(problem, plan.variant, step.first, step.last, device);
    const bool whole = needed == static_cast<std::size_t>(step.last - step.first + 1);
    time = plan::add(time, group != nullptr && whole ? plan::loaded(problem, group->cost, device).mean : alone);
  }
  if (found != layers.size())
    throw Error(ErrorCode::Input, "the plan has no such part on this device",
                problem.devices[static_cast<std::size_t>(device)].name, part_text(layers),
                "use one plan on all machines");
  return time;
}

}  // namespace espalier::run

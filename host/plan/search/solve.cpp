#include "plan/search/solve.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "esp_error.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/search/case_search.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

struct Case {
  int policy = 0, variant = 0;
  LoadStart start;
  std::int64_t quick_bound = 0;
};

std::vector<PlanStep> steps_of(const Problem& problem, const StateGraph& graph,
                               const std::vector<std::uint32_t>& arcs) {
  std::vector<PlanStep> steps;
  for (const std::uint32_t arc : arcs) {
    const Choice& choice = graph.choices()[graph.arcs()[arc].choice];
    steps.push_back({choice.first, choice.last, choice.device, {}});
    if (choice.tiling != Choice::None) steps.back().tiles = problem.tilings[at(choice.tiling)].tiles;
  }
  return steps;
}

void explain(const Problem& problem, const Request& request, SharedPlan& plan) {
  plan.explanation.push_back("policy " + problem.policies[at(plan.policy)].name + " in variant " +
                             problem.variants[at(plan.variant)].name + ", best " +
                             std::string(to_string(request.objective)) + " of all exits, cuts, variants and tilings");
  int begin = 0;
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    const bool last = step + 1 == plan.steps.size() || plan.steps[step + 1].device != plan.steps[at(begin)].device ||
                      plan.steps[step + 1].tiles.empty() != plan.steps[at(begin)].tiles.empty();
    if (!last) continue;
    const PlanStep& first = plan.steps[at(begin)];
    plan.explanation.push_back(problem.layers[at(first.first)].name + " to " +
                               problem.layers[at(plan.steps[step].last)].name + " on " +
                               problem.devices[at(first.device)].name + (first.tiles.empty() ? "" : " as tiles"));
    begin = static_cast<int>(step) + 1;
  }
}

}  // namespace

PreparedProblem::PreparedProblem(Problem problem) : problem_(std::move(problem)) {
  validate(problem_);
  for (const Policy& policy : problem_.policies) graphs_.emplace_back(problem_, policy);
  for (int variant = 0; variant < static_cast<int>(problem_.variants.size()); ++variant) {
    shapes_.emplace_back();
    for (const Tiling& tiling : problem_.tilings)
      shapes_.back().push_back(tiling_shape(problem_, variant, tiling.first, tiling.last, tiling.tiles));
  }
}

void PreparedProblem::set_link(int link, std::int64_t bytes_per_second, Nanoseconds latency) {
  if (link < 0 || at(link) >= problem_.links.size() || bytes_per_second < 0 || latency < 0 || latency > LargestStep)
    throw Error(ErrorCode::Input, "no such link or a negative number", "set_link", std::to_string(link),
                "give the index of a link of the problem");
  problem_.links[at(link)].bytes_per_second = std::min(bytes_per_second, LargestStep);
  problem_.links[at(link)].latency = latency;
}

void PreparedProblem::set_load(int device, BasisPoints load) {
  if (device < 0 || at(device) >= problem_.devices.size() || load <= 0 || load > Whole * Whole)
    throw Error(ErrorCode::Input, "no such device or a load out of range", "set_load", std::to_string(device),
                "give the index of a device of the problem and a load from 1 to 100000000");
  problem_.devices[at(device)].load = load;
}

SharedPlan PreparedProblem::solve(const Request& request, const Effort& effort) const {
  std::vector<std::optional<VariantCosts>> costs(problem_.variants.size());
  std::vector<Case> cases;
  for (int policy = 0; policy < static_cast<int>(problem_.policies.size()); ++policy) {
    for (int variant = 0; variant < static_cast<int>(problem_.variants.size()); ++variant) {
      if (problem_.policies[at(policy)].accuracy[at(variant)] < problem_.accuracy_floor) continue;
      if (!costs[at(variant)]) costs[at(variant)] = variant_costs(problem_, variant, shapes_[at(variant)]);
      const CaseSearch search(problem_, request, graphs_[at(policy)], *costs[at(variant)], variant);
      LoadStart start = search.even_start();
      const std::int64_t bound = search.quick_bound(start);
      cases.push_back({policy, variant, std::move(start), bound});
    }
  }
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& a, const Case& b) { return a.quick_bound < b.quick_bound; });

  SharedPlan plan;
  plan.planner = "ours";
  plan.reference = "exact search over exits, cuts, variants and tilings with a certificate";
  Certificate certificate;
  certificate.value = Impossible;
  // Cases of one problem want similar multipliers: each starts from those of the case before.
  std::optional<LoadStart> start;
  std::size_t labels = effort.labels;
  const auto attempt = [&](const Case& one) {
    if (one.quick_bound >= certificate.value)
      return Certificate::Case{one.policy, one.variant, 0, one.start.loads, one.quick_bound};
    if (costs[at(one.variant)]->transfers.empty()) add_transfers(problem_, one.variant, *costs[at(one.variant)]);
    const StateGraph& graph = graphs_[at(one.policy)];
    CaseResult result = CaseSearch(problem_, request, graph, *costs[at(one.variant)], one.variant)
                            .run(certificate.value, labels, start.value_or(one.start));
    labels -= std::min(labels, result.labels);
    result.bound.policy = one.policy;
    if (result.bound.deadline_multiplier >= 0)
      start = {result.bound.load_multipliers, result.bound.deadline_multiplier};
    if (!result.best) return result.bound;
    certificate.value = result.best->value;
    plan.policy = one.policy;
    plan.variant = one.variant;
    plan.steps = steps_of(problem_, graph, result.best->arcs);
    return result.bound;
  };
  for (const Case& one : cases) certificate.cases.push_back(attempt(one));
  // What an early case left open may close with the value that a later case found.
  for (std::size_t index = 0; index + 1 < cases.size(); ++index)
    if (certificate.cases[index].lower_bound < certificate.value) certificate.cases[index] = attempt(cases[index]);
  if (certificate.value >= Impossible)
    throw Error(ErrorCode::Unsupported, "no plan meets the accuracy, the memories and the deadline", problem_.name,
                request.deadline ? std::to_string(*request.deadline) + " ns" : "no deadline",
                "allow more time or a lower accuracy");
  certificate.lower_bound = certificate.value;
  for (Certificate::Case& one : certificate.cases) {
    one.lower_bound = std::min(one.lower_bound, certificate.value);
    certificate.lower_bound = std::min(certificate.lower_bound, one.lower_bound);
  }
  plan.certificate = {std::move(certificate)};
  if (value(problem_, request, evaluate(problem_, plan)) != plan.certificate.front().value)
    throw Error(ErrorCode::Internal, "search and evaluator differ", problem_.name,
                std::to_string(plan.certificate.front().value));
  explain(problem_, request, plan);
  return plan;
}

}  // namespace espalier::plan

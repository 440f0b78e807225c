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
  CaseSearch search;
  LoadStart start;
  bool kept = false;             // the start is that of this case, from a plan found earlier or an earlier pass
  std::int64_t relaxed_for = 0;  // value to beat
  Certificate::Case bound;
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

void PreparedProblem::keep(const Request& request, SharedPlan plan) { kept_.push_back({request, std::move(plan)}); }

// Multipliers of the case in a plan kept for the same objective and the next longer deadline.
std::optional<LoadStart> PreparedProblem::kept_start(const Request& request, int policy, int variant) const {
  const auto allows = [](const Request& one) { return one.deadline.value_or(Impossible); };
  const Kept* best = nullptr;
  for (const Kept& kept : kept_) {
    if (kept.request.objective != request.objective || kept.plan.certificate.empty()) continue;
    const bool longer = allows(kept.request) >= allows(request);
    const bool best_longer = best != nullptr && allows(best->request) >= allows(request);
    if (best == nullptr || (longer && !best_longer) ||
        (longer == best_longer && (allows(kept.request) < allows(best->request)) == longer))
      best = &kept;
  }
  if (best == nullptr) return std::nullopt;
  for (const Certificate::Case& one : best->plan.certificate.front().cases)
    if (one.policy == policy && one.variant == variant && one.deadline_multiplier >= 0)
      return LoadStart{one.load_multipliers, request.deadline ? one.deadline_multiplier : 0};
  return std::nullopt;
}

SharedPlan PreparedProblem::solve(const Request& request, const Effort& effort) const {
  SharedPlan plan;
  plan.planner = "ours";
  plan.reference = "exact search over exits, cuts, variants and tilings with a certificate";
  Certificate certificate;
  certificate.value = Impossible;
  for (const Kept& kept : kept_) {
    if (kept.request.objective != request.objective) continue;
    const std::int64_t worth = value(problem_, request, evaluate(problem_, kept.plan));
    if (worth >= certificate.value) continue;
    certificate.value = worth;
    plan.policy = kept.plan.policy;
    plan.variant = kept.plan.variant;
    plan.steps = kept.plan.steps;
  }

  std::vector<std::optional<VariantCosts>> costs(problem_.variants.size());
  std::vector<Case> cases;
  cases.reserve(problem_.policies.size() * problem_.variants.size());
  for (int policy = 0; policy < static_cast<int>(problem_.policies.size()); ++policy) {
    for (int variant = 0; variant < static_cast<int>(problem_.variants.size()); ++variant) {
      if (problem_.policies[at(policy)].accuracy[at(variant)] < problem_.accuracy_floor) continue;
      if (!costs[at(variant)]) costs[at(variant)] = variant_costs(problem_, variant, shapes_[at(variant)]);
      Case& one = cases.emplace_back(
          Case{CaseSearch(problem_, request, graphs_[at(policy)], *costs[at(variant)], variant), {}, false, 0, {}});
      one.start = one.search.even_start();
      one.bound = {policy, variant, 0, one.start.loads, one.search.quick_bound(one.start)};
      const std::optional<LoadStart> known = kept_start(request, policy, variant);
      if (!known) continue;
      one.kept = true;
      one.start = *known;
      const std::int64_t bound = one.search.quick_bound(one.start);
      if (bound > one.bound.lower_bound) one.bound = {policy, variant, 0, one.start.loads, bound};
    }
  }
  std::vector<Case*> order;
  for (Case& one : cases) order.push_back(&one);
  const auto most_promising_first = [&] {
    std::stable_sort(order.begin(), order.end(),
                     [](const Case* a, const Case* b) { return a->bound.lower_bound < b->bound.lower_bound; });
  };
  const auto take = [&](Case& one, CaseResult result) {
    result.bound.policy = one.bound.policy;
    one.bound = std::move(result.bound);
    if (!result.best) return;
    certificate.value = result.best->value;
    plan.policy = one.bound.policy;
    plan.variant = one.bound.variant;
    plan.steps = steps_of(problem_, graphs_[at(one.bound.policy)], result.best->arcs);
  };
  // All cases are bounded before effort is spent on one: it may not be the best. Bounds of throughput are better the
  // lower the value to beat, so those that were made before the best value was found are made once more.
  std::optional<LoadStart> start;  // cases of one problem want similar multipliers
  const auto relax = [&](Case& one) {
    const int variant = one.bound.variant;
    if (costs[at(variant)]->transfers.empty()) add_transfers(problem_, variant, *costs[at(variant)]);
    one.relaxed_for = certificate.value;
    take(one, one.search.relax(certificate.value, one.kept || !start ? one.start : *start));
    if (one.bound.deadline_multiplier < 0) return;
    start = {one.bound.load_multipliers, one.bound.deadline_multiplier};
    one.start = *start;
    one.kept = true;
  };
  most_promising_first();
  for (int pass = 0; pass < (request.objective == Objective::Throughput ? 2 : 1); ++pass)
    for (Case* one : order)
      if (one->bound.lower_bound < certificate.value && one->relaxed_for != certificate.value) relax(*one);
  most_promising_first();
  std::size_t labels = effort.labels;
  for (Case* one : order) {
    if (one->bound.lower_bound >= certificate.value) break;
    CaseResult result = one->search.close(certificate.value, labels);
    labels -= std::min(labels, result.labels);
    take(*one, std::move(result));
  }
  for (const Case& one : cases) certificate.cases.push_back(one.bound);
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

#include "edge_scenario.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "plan/cost/evaluate.hpp"
#include "plan/cost/transfer.hpp"
#include "plan/planners/planner.hpp"
#include "plan/simulate/simulate.hpp"

namespace espalier::test {
namespace {

using plan::Nanoseconds;
using plan::SharedPlan;

constexpr Nanoseconds ShortestStep = 20'000'000, ShortestRun = 1'500'000'000;
constexpr plan::Bytes HeaderBytes = 180;  // of gRPC and HTTP/2, with a request or an answer
constexpr int Accelerator = 0;

struct Wires {
  std::int64_t up = 100'000'000, down = 100'000'000;  // bytes per second
  Nanoseconds latency = 40'000;
};

class Scenarios {
 public:
  Scenarios(const model::Network& network, const plan::NetworkTimes& times)
      : network_(network), times_(times), last_(static_cast<int>(network.layers.size()) - 1) {}

  plan::Problem problem(double cpu, double server, const Wires& wires) const {
    plan::Machines machines;
    machines.clock_megahertz = 300;
    machines.cpu = cpu;
    machines.server = server;
    machines.bus_bytes_per_second = 200'000'000;
    machines.bus_latency = 30'000;
    machines.up_bytes_per_second = wires.up;
    machines.down_bytes_per_second = wires.down;
    machines.link_latency = wires.latency;
    return plan::network_problem(network_, {{"as given", plan::Whole, times_, 100}}, machines);
  }

  /// A second server, `speed` times the first, with links to home alone.
  static plan::Problem with_cloud(plan::Problem problem, std::int64_t speed, const Wires& wires) {
    const int server = static_cast<int>(problem.devices.size()) - 1, cloud = server + 1;
    problem.devices.push_back({"cloud", plan::DeviceKind::Remote, 0, plan::Whole});
    problem.links.push_back({Accelerator, cloud, wires.up, wires.latency, 0, 0});
    problem.links.push_back({cloud, Accelerator, wires.down, wires.latency, 0, 0});
    for (plan::LayerVariant& layer : problem.variants.front().layers) {
      plan::Cost cost = *layer.costs[static_cast<std::size_t>(server)];
      cost.time.mean /= speed;
      cost.time.bound /= speed;
      layer.costs.emplace_back(cost);
    }
    return problem;
  }

  void add(const std::string& name, plan::Problem problem, SharedPlan plan) {
    EdgeScenario scenario;
    scenario.name = name;
    scenario.problem = std::move(problem);
    scenario.plan = std::move(plan);
    scenario.dilation = dilation(scenario);
    all.push_back(std::move(scenario));
  }

  void add_cut(const std::string& name, plan::Problem problem, const std::vector<plan::PlanStep>& steps) {
    SharedPlan plan;
    plan.planner = "given";
    plan.steps = steps;
    add(name, std::move(problem), std::move(plan));
  }

  static SharedPlan planned(const std::string& planner, const plan::Problem& problem) {
    return plan::run_planner(planner, problem, {plan::Objective::Latency, {}});
  }

  int last() const { return last_; }
  std::vector<EdgeScenario> all;

 private:
  /// The least hundred for which every stretch of layers on one machine and every transfer lasts long enough.
  static std::int64_t dilation(const EdgeScenario& scenario) {
    const plan::Execution execution = plan::execute(scenario.problem, scenario.plan);
    const std::vector<plan::Done>& trace = execution.traces.back();
    Nanoseconds shortest = plan::LargestStep, stretch = 0;
    for (std::size_t i = 0; i < trace.size(); ++i) {
      const bool layers = trace[i].action.kind == plan::Action::Kind::Layers;
      stretch = (layers ? stretch : 0) + trace[i].end - trace[i].begin;
      const bool more = layers && i + 1 < trace.size() && trace[i + 1].action.kind == plan::Action::Kind::Layers &&
                        trace[i + 1].action.to == trace[i].action.to;
      if (more) continue;
      shortest = std::min(shortest, std::max<Nanoseconds>(1, stretch));
      stretch = 0;
    }
    const Nanoseconds whole = trace.back().end;
    const std::int64_t needed = std::max(ShortestStep / shortest, ShortestRun / whole);
    return (needed / 100 + 1) * 100;
  }

  const model::Network& network_;
  const plan::NetworkTimes& times_;
  int last_;
};

void add_whole(Scenarios& set) {
  const int last = set.last();
  set.add_cut("device alone", set.problem(0, 10, {}), {{0, last, 0, {}}});
  set.add_cut("server alone, fast link", set.problem(0, 4, {400'000'000, 400'000'000, 20'000}), {{0, last, 1, {}}});
  set.add_cut("server alone, slow link", set.problem(0, 4, {20'000'000, 20'000'000, 40'000}), {{0, last, 1, {}}});
  set.add_cut("server alone, long way", set.problem(0, 4, {100'000'000, 100'000'000, 300'000}), {{0, last, 1, {}}});
}

void add_planned(Scenarios& set) {
  const auto with = [&](const std::string& name, const std::string& planner, double server, const Wires& wires) {
    plan::Problem problem = set.problem(0, server, wires);
    SharedPlan plan = Scenarios::planned(planner, problem);
    set.add(name, std::move(problem), std::move(plan));
  };
  with("ours, 10x server", "ours", 10, {600'000'000, 600'000'000, 15'000});
  with("neurosurgeon", "neurosurgeon", 10, {300'000'000, 300'000'000, 15'000});
  with("edgent", "edgent", 2, {600'000'000, 600'000'000, 15'000});
  with("dads", "dads", 20, {600'000'000, 600'000'000, 15'000});
}

void add_cuts(Scenarios& set) {
  const int last = set.last();
  set.add_cut("cut behind the first pooling", set.problem(0, 2, {}), {{0, 4, 0, {}}, {5, last, 1, {}}});
  set.add_cut("cut in the residual block, two tensors cross", set.problem(0, 2, {50'000'000, 50'000'000, 15'000}),
              {{0, 2, 0, {}}, {3, last, 1, {}}});
  set.add_cut("return cut: server, then device", set.problem(0, 2, {}), {{0, 4, 1, {}}, {5, last, 0, {}}});
  set.add_cut("device, server, device", set.problem(0, 2, {}), {{0, 0, 0, {}}, {1, 4, 1, {}}, {5, last, 0, {}}});
  set.add_cut("server, device, server", set.problem(0, 2, {}), {{0, 0, 1, {}}, {1, 4, 0, {}}, {5, last, 1, {}}});
  set.add_cut("CPU and accelerator", set.problem(0.5, 0, {}), {{0, 4, 0, {}}, {5, 7, 1, {}}, {8, last, 0, {}}});
  set.add_cut("device, edge, device, cloud",
              Scenarios::with_cloud(set.problem(0, 2, {}), 2, {60'000'000, 60'000'000, 60'000}),
              {{0, 0, 0, {}}, {1, 3, 1, {}}, {4, 5, 0, {}}, {6, last, 2, {}}});
  plan::Problem loaded = set.problem(0, 2, {});
  loaded.devices[1].load = 3 * plan::Whole;
  set.add_cut("server with three times the load", loaded, {{0, 4, 0, {}}, {5, last, 1, {}}});
}

/// Links that change in the middle of a run; moments are shares of the constant link's transfer.
void add_changing(Scenarios& set) {
  const Wires wires{30'000'000, 100'000'000, 30'000};
  const std::vector<plan::PlanStep> steps{{0, 2, 0, {}}, {3, set.last(), 1, {}}};
  const auto add = [&](const std::string& name, const std::vector<double>& rates, double loss) {
    set.add_cut(name, set.problem(0, 2, wires), steps);
    EdgeScenario& scenario = set.all.back();
    const plan::Problem slow = dilated(scenario.problem, scenario.dilation);
    const auto traces = plan::execute(slow, scenario.plan).traces.back();
    const auto send = std::find_if(traces.begin(), traces.end(),
                                   [](const plan::Done& done) { return done.action.kind == plan::Action::Kind::Send; });
    const Nanoseconds begin = send->begin, length = 2 * (send->end - send->begin);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const auto share = static_cast<Nanoseconds>(i + 1);
      const auto count = static_cast<Nanoseconds>(rates.size());
      scenario.up.push_back({begin + length * share / count,
                             static_cast<std::int64_t>(static_cast<double>(slow.links[0].bytes_per_second) * rates[i]),
                             slow.links[0].latency, loss});
    }
    scenario.up.back().until = LinkSchedule::Never;
    scenario.down = {{LinkSchedule::Never, slow.links[1].bytes_per_second, slow.links[1].latency, 0}};
    // Losses that change nothing would show nothing.
    EdgeScenario lossless = scenario;
    for (LinkPhase& phase : lossless.up) phase.loss = 0;
    while (loss > 0 && predicted(scenario) < predicted(lossless) + LinkSchedule::Retry / 2) ++scenario.seed;
  };
  add("bandwidth halves on the way", {1, 1, 0.5, 0.5, 0.5, 0.5}, 0);
  add("bandwidth rises on the way", {0.25, 0.25, 0.5, 1, 2, 2}, 0);
  add("link cut on the way, and back", {1, 0, 0, 1, 1, 1}, 0);
  add("losses in bursts", {1}, 0.06);
}

void add_streams(Scenarios& set) {
  set.add_cut("eight frames in flight", set.problem(0, 2, {200'000'000, 200'000'000, 15'000}),
              {{0, 4, 0, {}}, {5, set.last(), 1, {}}});
  set.all.back().frames = 8;
  set.all.back().in_flight = 8;
}

}  // namespace

plan::Problem dilated(const plan::Problem& problem, std::int64_t factor) {
  plan::Problem slow = problem;
  const auto stretch = [factor](plan::Cost& cost) {
    cost.time.mean *= factor;
    cost.time.bound *= factor;
  };
  for (plan::Variant& variant : slow.variants)
    for (plan::LayerVariant& layer : variant.layers)
      for (std::optional<plan::Cost>& cost : layer.costs)
        if (cost) stretch(*cost);
  for (plan::Group& group : slow.groups) stretch(group.cost);
  for (plan::Link& link : slow.links) {
    link.bytes_per_second /= factor;
    link.latency *= factor;
    link.serialise_picoseconds *= factor;
  }
  return slow;
}

LinkPair phases_of(const EdgeScenario& scenario, int device) {
  if (!scenario.up.empty()) return {scenario.up, scenario.down};
  const plan::Problem slow = dilated(scenario.problem, scenario.dilation);
  const auto phase = [&](int from, int to) {
    const std::optional<int> index = plan::find_link(slow, from, to);
    if (!index) throw std::logic_error("no link in " + scenario.name);
    const plan::Link& link = slow.links[static_cast<std::size_t>(*index)];
    return LinkPhase{LinkSchedule::Never, link.bytes_per_second, link.latency, 0};
  };
  return {{phase(slow.home, device)}, {phase(device, slow.home)}};
}

Nanoseconds predicted(const EdgeScenario& scenario) {
  plan::Problem slow = dilated(scenario.problem, scenario.dilation);
  // To the cost model the headers of a message are a part of its link's latency.
  for (plan::Link& link : slow.links)
    link.latency += plan::scaled(HeaderBytes, 1'000'000'000, std::max<std::int64_t>(1, link.bytes_per_second));
  if (scenario.frames == 1 && scenario.up.empty()) return plan::evaluate(slow, scenario.plan).latency / plan::Whole;
  std::map<int, LinkSchedule> schedules;
  plan::Arrival arrival;
  if (!scenario.up.empty()) {
    for (int link = 0; link < static_cast<int>(slow.links.size()); ++link)
      schedules.emplace(link, slow.links[static_cast<std::size_t>(link)].from == slow.home
                                  ? LinkSchedule(scenario.up, scenario.seed)
                                  : LinkSchedule(scenario.down, scenario.seed + 1));
    arrival = [&](int link, Nanoseconds start, plan::Bytes bytes) {
      return schedules.at(link).send(start, bytes + HeaderBytes);
    };
  }
  const int leave = static_cast<int>(slow.policies[static_cast<std::size_t>(scenario.plan.policy)].leaves.size()) - 1;
  const std::vector<int> leaves(scenario.frames, leave);
  return plan::execute_stream(slow, scenario.plan, leaves, std::vector<Nanoseconds>(scenario.frames, 0), arrival).end;
}

Nanoseconds predicted_behind_buckets(const EdgeScenario& scenario, plan::Bytes burst) {
  const plan::Problem slow = dilated(scenario.problem, scenario.dilation);
  struct Bucket {
    double tokens = 0;
    Nanoseconds at = 0;
  };
  std::map<int, Bucket> buckets;
  const plan::Arrival arrival = [&](int link, Nanoseconds start, plan::Bytes bytes) {
    const double rate = static_cast<double>(slow.links[static_cast<std::size_t>(link)].bytes_per_second) / 1e9;
    Bucket& bucket = buckets.try_emplace(link, Bucket{static_cast<double>(burst), 0}).first->second;
    const double there =
        std::min(static_cast<double>(burst), bucket.tokens + static_cast<double>(start - bucket.at) * rate);
    const double missing = std::max(0.0, static_cast<double>(bytes + HeaderBytes) - there);
    bucket.tokens = std::max(0.0, there - static_cast<double>(bytes + HeaderBytes));
    bucket.at = start + static_cast<Nanoseconds>(missing / rate);
    return bucket.at;
  };
  return plan::execute_stream(slow, scenario.plan, {0}, {0}, arrival).end;
}

std::vector<EdgeScenario> edge_scenarios(const model::Network& network, const plan::NetworkTimes& times) {
  Scenarios set(network, times);
  add_whole(set);
  add_planned(set);
  add_cuts(set);
  add_changing(set);
  add_streams(set);
  return std::move(set.all);
}

}  // namespace espalier::test

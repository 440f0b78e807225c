#include "plan/simulate/simulate.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <queue>
#include <tuple>

#include "esp_error.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/cost/transfer.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// What an action takes: a resource (devices, then links) for a time.
struct Need {
  std::size_t resource = 0;
  Primitive cost;
  Bytes bytes = 0;  // that cross a link
};

/// The needs of the actions of one plan; the shapes of its tilings are made once.
class Needs {
 public:
  Needs(const Problem& problem, const SharedPlan& plan) : problem_(problem), plan_(plan) {
    for (const PlanStep& step : plan.steps)
      shapes_.push_back(step.tiles.empty() ? TilingShape{}
                                           : tiling_shape(problem, plan.variant, step.first, step.last, step.tiles));
  }

  Need of(const Action& action) const {
    switch (action.kind) {
      case Action::Kind::Send:
        return wire(action, tensor_bytes(problem_, plan_.variant, action.tensor));
      case Action::Kind::Layers:
        return {at(action.to), layers(action)};
      case Action::Kind::SendPart:
        return wire(action, piece(action).input_bytes);
      case Action::Kind::ComputePart:
        return {at(action.to), part(action)};
      case Action::Kind::ReturnPart:
        return wire(action, piece(action).output_bytes);
    }
    return {};
  }

 private:
  const TilingShape::Piece& piece(const Action& action) const {
    for (std::size_t step = 0; step < plan_.steps.size(); ++step)
      if (plan_.steps[step].first == action.first && !plan_.steps[step].tiles.empty())
        return shapes_[step].pieces[at(action.tile)];
    throw Error(ErrorCode::Internal, "no such tile", problem_.name);
  }
  Need wire(const Action& action, Bytes bytes) const {
    return {problem_.devices.size() + at(find_link(problem_, action.from, action.to).value_or(0)),
            transfer(problem_, action.from, action.to, bytes), bytes};
  }
  Primitive layers(const Action& action) const {
    if (const Group* group = find_group(problem_, plan_.variant, action.first, action.last, action.to))
      return loaded(problem_, group->cost, action.to);
    return layer_cost(problem_, plan_.variant, action.first, action.to);
  }
  Primitive part(const Action& action) const {
    Primitive sum;
    for (const TilingShape::Part& one : piece(action).parts) {
      const Primitive whole = layer_cost(problem_, plan_.variant, one.layer, action.to);
      sum = {add(sum.mean, scaled(whole.mean, one.area, one.whole)),
             add(sum.bound, scaled(whole.bound, one.area, one.whole)),
             add(sum.energy, scaled(whole.energy, one.area, one.whole))};
    }
    return sum;
  }

  const Problem& problem_;
  const SharedPlan& plan_;
  std::vector<TilingShape> shapes_;  // per step
};

/// Virtual time. Events of one time are handled in the order in which they were planned.
class Engine {
 public:
  Engine(const Problem& problem, const SharedPlan& plan, Times times, const Arrival& arrival = {})
      : problem_(problem),
        plan_(plan),
        times_(times),
        arrival_(arrival),
        needs_(problem, plan),
        free_(problem.devices.size() + problem.links.size(), true),
        waiting_(free_.size()),
        busy(free_.size(), 0) {}

  void add(int leave, Nanoseconds arrival) {
    samples.push_back({leave, arrival, arrival});
    states_.emplace_back();
    plan_event(arrival, [this, sample = static_cast<int>(samples.size()) - 1] { give(sample, Begin{}); });
  }

  void run() {
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.time;
      event.act();
    }
  }

 private:
  struct Event {
    Nanoseconds time = 0;
    std::int64_t number = 0;
    std::function<void()> act;
    bool operator<(const Event& other) const { return std::tie(other.time, other.number) < std::tie(time, number); }
  };

  void plan_event(Nanoseconds time, std::function<void()> act) { events_.push({time, number_++, std::move(act)}); }

  void give(int sample, const FollowEvent& event) {
    Followed next = follow(problem_, plan_, std::move(states_[at(sample)]), event);
    states_[at(sample)] = std::move(next.state);
    for (const Action& action : next.actions) {
      const Need need = needs_.of(action);
      waiting_[need.resource].push_back({sample, action, need.cost, need.bytes});
      serve(need.resource);
    }
    if (next.asks) {
      const bool last = at(*next.asks) + 1 == problem_.policies[at(plan_.policy)].leaves.size();
      give(sample, Decided{last || *next.asks == samples[at(sample)].leave});
    }
    if (next.finished) samples[at(sample)].end = now_;
  }

  void serve(std::size_t resource) {
    if (!free_[resource] || waiting_[resource].empty()) return;
    // The earliest sample goes on before another begins.
    const auto next = std::min_element(waiting_[resource].begin(), waiting_[resource].end(),
                                       [](const Job& a, const Job& b) { return a.sample < b.sample; });
    const Job job = *next;
    waiting_[resource].erase(next);
    free_[resource] = false;
    const Nanoseconds time = time_of(resource, job);
    busy[resource] += time;
    energy += job.cost.energy;
    trace.push_back({job.action, job.sample, now_, now_ + time});
    plan_event(now_ + time, [this, resource, job] {
      free_[resource] = true;
      give(job.sample, Ended{job.action});
      serve(resource);
    });
  }

  struct Job {
    int sample = 0;
    Action action;
    Primitive cost;
    Bytes bytes = 0;
  };

  Nanoseconds time_of(std::size_t resource, const Job& job) const {
    if (arrival_ && resource >= problem_.devices.size())
      return arrival_(static_cast<int>(resource - problem_.devices.size()), now_, job.bytes) - now_;
    return times_ == Times::Mean ? job.cost.mean : job.cost.bound;
  }

  const Problem& problem_;
  const SharedPlan& plan_;
  Times times_;
  Arrival arrival_;
  Needs needs_;
  std::priority_queue<Event> events_;
  std::vector<FollowState> states_;
  std::vector<bool> free_;
  std::vector<std::deque<Job>> waiting_;
  Nanoseconds now_ = 0;
  std::int64_t number_ = 0;

 public:
  std::vector<SampleRun> samples;
  std::vector<Nanoseconds> busy;
  Nanojoules energy = 0;
  std::vector<Done> trace;
};

void refuse_infeasible(const Problem& problem, const SharedPlan& plan) {
  const Evaluation cost = evaluate(problem, plan);
  if (!cost.feasible)
    throw Error(ErrorCode::Unsupported, "the plan cannot be executed: " + cost.reason, problem.name, plan.planner,
                "plan again");
}

}  // namespace

Execution execute(const Problem& problem, const SharedPlan& plan) {
  refuse_infeasible(problem, plan);
  Execution result;
  result.loads.assign(problem.devices.size() + problem.links.size(), 0);
  const std::vector<Policy::Leave>& leaves = problem.policies[at(plan.policy)].leaves;
  for (int leave = 0; leave < static_cast<int>(leaves.size()); ++leave) {
    const BasisPoints share = leaves[at(leave)].share;
    Engine engine(problem, plan, Times::Mean);
    engine.add(leave, 0);
    engine.run();
    result.latency += engine.samples.front().end * share;
    result.energy += engine.energy * share;
    for (std::size_t resource = 0; resource < result.loads.size(); ++resource)
      result.loads[resource] += engine.busy[resource] * share;
    result.traces.push_back(std::move(engine.trace));
  }
  result.bottleneck = *std::max_element(result.loads.begin(), result.loads.end());
  Engine engine(problem, plan, Times::Bound);
  engine.add(static_cast<int>(leaves.size()) - 1, 0);
  engine.run();
  result.bound = engine.samples.front().end;
  return result;
}

Stream execute_stream(const Problem& problem, const SharedPlan& plan, const std::vector<int>& leaves,
                      const std::vector<Nanoseconds>& arrivals, const Arrival& arrival) {
  refuse_infeasible(problem, plan);
  Engine engine(problem, plan, Times::Mean, arrival);
  for (std::size_t sample = 0; sample < leaves.size(); ++sample) engine.add(leaves[sample], arrivals[sample]);
  engine.run();
  Stream stream{std::move(engine.samples), std::move(engine.busy), 0};
  for (const SampleRun& sample : stream.samples) stream.end = std::max(stream.end, sample.end);
  return stream;
}

}  // namespace espalier::plan

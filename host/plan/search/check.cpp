#include "plan/search/check.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <vector>

namespace espalier::plan {
namespace {

using Wide = std::vector<std::int64_t>;
constexpr std::int64_t Never = Impossible;
__extension__ using Big = __int128;  // of weighted sums, which no check of ranges limits
constexpr Big NeverBig = Big{1} << 120;

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
std::int64_t plus(std::int64_t a, std::int64_t b) { return a >= Never - b ? Never : a + b; }
std::int64_t product(std::int64_t a, std::int64_t b) { return b != 0 && a > Never / b ? Never : a * b; }
// a * b / c rounded up; all terms stay small enough because steps are limited to LargestStep.
std::int64_t ratio(std::int64_t a, std::int64_t b, std::int64_t c) {
  if (a >= Never) return Never;
  const std::int64_t whole = product(a / c, b);
  const std::int64_t rest = product(a % c, b);
  return plus(whole, rest >= Never ? Never : rest / c + (rest % c != 0 ? 1 : 0));
}

/// What a step adds.
struct Expense {
  std::int64_t mean = 0, bound = 0, energy = 0;
  bool possible = true;
  void plus_sequential(const Expense& other) {
    mean = plus(mean, other.mean);
    bound = plus(bound, other.bound);
    energy = plus(energy, other.energy);
    possible = possible && other.possible;
  }
};

struct Sum {
  std::int64_t objective = 0, bound = 0;  // objective: latency or energy, weighted
  Wide loads, memory;
};

// tensor -> (device that made it, devices that hold it)
using Copies = std::map<int, std::pair<int, unsigned>>;

struct Action {
  int first = 0, last = 0, device = 0;
  const Group* group = nullptr;
  const std::vector<Tile>* tiles = nullptr;
};

class CaseChecker {
 public:
  CaseChecker(const Problem& problem, const Request& request, int policy, int variant)
      : problem_(problem), request_(request), policy_(problem.policies[at(policy)]), variant_(variant) {
    find_shares();
    last_reader_.assign(problem.layers.size() + 1, -1);
    for (std::size_t layer = 0; layer < problem.layers.size(); ++layer)
      if (share_[layer] > 0)
        for (const int input : problem.layers[layer].inputs) last_reader_[at(input + 1)] = static_cast<int>(layer);
  }

  /// Adds an action to a state and a sum; false if it cannot be done.
  bool act(const Action& action, Copies& copies, Sum& sum) const {
    const std::int64_t share = share_[at(action.first)];
    if (action.tiles != nullptr) {
      if (!act_tiles(action, share, copies, sum)) return false;
    } else {
      for (int layer = action.first; layer <= action.last; ++layer) {
        if (share_[at(layer)] == 0) continue;
        for (const int input : problem_.layers[at(layer)].inputs)
          if (!move(input, action.device, share_[at(layer)], copies, sum)) return false;
        if (action.group == nullptr &&
            !pay_device(layer_expense(layer, action.device), action.device, share_[at(layer)], sum))
          return false;
        if (!produce(layer, action.device, copies, sum)) return false;
      }
      if (action.group != nullptr && !pay_device(group_expense(*action.group), action.device, share, sum)) return false;
    }
    std::erase_if(copies, [&](const auto& copy) { return last_reader_[at(copy.first + 1)] <= action.last; });
    return true;
  }

  /// All actions that may start at a layer.
  std::vector<Action> actions(int layer) const {
    std::vector<Action> result;
    const int devices = static_cast<int>(problem_.devices.size());
    result.reserve(problem_.devices.size());
    for (int device = 0; device < devices; ++device)
      result.push_back({layer, layer, device, own_group(layer, layer, device), nullptr});
    for (const Group& group : problem_.groups)
      if (group.first == layer && group.last > layer && group.variant == variant_ &&
          same_share(group.first, group.last))
        result.push_back({group.first, group.last, group.device, &group, nullptr});
    for (const Tiling& tiling : problem_.tilings)
      if (tiling.first == layer && same_share(tiling.first, tiling.last))
        for (int device = 0; device < devices; ++device)
          result.push_back({tiling.first, tiling.last, device, nullptr, &tiling.tiles});
    return result;
  }

  const Group* own_group(int first, int last, int device) const {
    for (const Group& group : problem_.groups)
      if (group.first == first && group.last == last && group.device == device && group.variant == variant_ &&
          same_share(first, last))
        return &group;
    return nullptr;
  }

  Sum nothing() const {
    return {0, 0, Wide(problem_.devices.size() + problem_.links.size(), 0), Wide(problem_.devices.size(), 0)};
  }
  Copies start() const { return {{NetworkInput, {problem_.home, 1U << problem_.home}}}; }
  /// The next layer that is needed, from `layer` on.
  int needed(int layer) const {
    while (layer < static_cast<int>(share_.size()) && share_[at(layer)] == 0) ++layer;
    return layer;
  }
  int count() const { return static_cast<int>(share_.size()); }

  bool allowed(const Sum& sum) const {
    for (std::size_t device = 0; device < sum.memory.size(); ++device)
      if (problem_.devices[device].memory > 0 && sum.memory[device] > problem_.devices[device].memory) return false;
    return sum.bound < Never && (!request_.deadline || sum.bound <= *request_.deadline);
  }
  /// Divides every load of every plan of the case.
  std::int64_t grain() const {
    std::int64_t grain = 0;
    for (const std::int64_t share : share_) grain = std::gcd(grain, share);
    return std::max<std::int64_t>(grain, 1);
  }
  std::int64_t value(const Sum& sum) const {
    return request_.objective == Objective::Throughput ? *std::max_element(sum.loads.begin(), sum.loads.end())
                                                       : sum.objective;
  }

 private:
  void find_shares() {
    share_.assign(problem_.layers.size(), 0);
    std::vector<int> pending;
    for (const Policy::Leave& leave : policy_.leaves) pending.push_back(problem_.exits[at(leave.exit)].layer);
    std::vector<bool> seen(problem_.layers.size(), false);
    while (!pending.empty()) {
      const int layer = pending.back();
      pending.pop_back();
      if (layer == NetworkInput || seen[at(layer)]) continue;
      seen[at(layer)] = true;
      pending.insert(pending.end(), problem_.layers[at(layer)].inputs.begin(), problem_.layers[at(layer)].inputs.end());
    }
    for (int layer = 0; layer < static_cast<int>(seen.size()); ++layer)
      for (const Policy::Leave& leave : policy_.leaves)
        if (seen[at(layer)] && problem_.exits[at(leave.exit)].layer >= layer) share_[at(layer)] += leave.share;
  }

  bool answers(int layer) const {
    for (const Policy::Leave& leave : policy_.leaves)
      if (problem_.exits[at(leave.exit)].layer == layer) return true;
    return false;
  }
  bool same_share(int first, int last) const {
    for (int layer = first; layer <= last; ++layer)
      if (share_[at(layer)] != share_[at(first)] || share_[at(layer)] == 0) return false;
    return true;
  }
  const LayerVariant& sizes(int layer) const { return problem_.variants[at(variant_)].layers[at(layer)]; }
  Bytes bytes(int tensor) const {
    return tensor == NetworkInput ? problem_.variants[at(variant_)].input_bytes : sizes(tensor).output_bytes;
  }

  Expense under_load(const Cost& cost, int device) const {
    const std::int64_t load = problem_.devices[at(device)].load;
    Expense expense{ratio(cost.time.mean, load, Whole), ratio(cost.time.bound, load, Whole), cost.energy, true};
    expense.possible = expense.bound <= LargestStep;
    return expense;
  }
  Expense layer_expense(int layer, int device) const {
    const std::optional<Cost>& cost = sizes(layer).costs[at(device)];
    return cost ? under_load(*cost, device) : Expense{0, 0, 0, false};
  }
  Expense group_expense(const Group& group) const { return under_load(group.cost, group.device); }

  std::pair<int, Expense> wire(int from, int to, Bytes size) const {
    for (std::size_t index = 0; index < problem_.links.size(); ++index) {
      const Link& link = problem_.links[index];
      if (link.from != from || link.to != to || link.bytes_per_second == 0) continue;
      const std::int64_t time = plus(plus(link.latency, ratio(size, 1'000'000'000, link.bytes_per_second)),
                                     ratio(size, link.serialise_picoseconds, 1000));
      return {static_cast<int>(index), {time, time, ratio(size, link.energy_picojoules, 1000), time <= LargestStep}};
    }
    return {-1, {0, 0, 0, false}};
  }

  bool pay(const Expense& expense, std::int64_t share, Sum& sum) const {
    if (!expense.possible) return false;
    sum.bound = plus(sum.bound, expense.bound);
    sum.objective =
        plus(sum.objective, product(request_.objective == Objective::Energy ? expense.energy : expense.mean, share));
    return true;
  }
  bool pay_device(const Expense& expense, int device, std::int64_t share, Sum& sum) const {
    sum.loads[at(device)] = plus(sum.loads[at(device)], product(expense.mean, share));
    return pay(expense, share, sum);
  }
  bool move(int tensor, int to, std::int64_t share, Copies& copies, Sum& sum) const {
    const auto copy = copies.find(tensor);
    if (copy == copies.end()) return false;
    if ((copy->second.second >> to & 1U) != 0) return true;
    copy->second.second |= 1U << to;
    const auto [link, expense] = wire(copy->second.first, to, bytes(tensor));
    if (link < 0) return false;
    std::int64_t& load = sum.loads[problem_.devices.size() + at(link)];
    load = plus(load, product(expense.mean, share));
    return pay(expense, share, sum);
  }
  bool produce(int layer, int device, Copies& copies, Sum& sum) const {
    copies[layer] = {device, 1U << device};
    sum.memory[at(device)] += sizes(layer).weight_bytes;
    return !answers(layer) || move(layer, problem_.home, share_[at(layer)], copies, sum);
  }

  // The part of axis [0, size) that positions first..last of the output read.
  static std::pair<int, int> span(const Window& window, int first, int last, int size, bool isolated) {
    const int low = isolated ? window.stride * first : window.stride * first - window.padding;
    const int high =
        isolated ? window.stride * (last + 1) - 1 : window.stride * last - window.padding + window.kernel - 1;
    return {std::max(0, low), std::min(size - 1, high)};
  }

  struct Box {
    int top = 1 << 30, bottom = -1, left = 1 << 30, right = -1;
    std::int64_t area() const {
      return bottom < top || right < left ? 0 : std::int64_t{1} * (bottom - top + 1) * (right - left + 1);
    }
  };

  bool act_tiles(const Action& action, std::int64_t share, Copies& copies, Sum& sum) const {
    int outside = NetworkInput - 1;
    std::map<int, std::pair<int, int>> maps{{NetworkInput, {problem_.input_height, problem_.input_width}}};
    for (int layer = 0; layer <= action.last; ++layer)
      if (const std::optional<Window>& window = problem_.layers[at(layer)].window)
        maps[layer] = {window->height, window->width};
    for (int layer = action.first; layer <= action.last; ++layer) {
      if (!problem_.layers[at(layer)].window ||
          (layer < action.last && (answers(layer) || read_after(layer, action.last))))
        return false;
      for (const int input : problem_.layers[at(layer)].inputs) {
        if (input >= action.first) continue;
        if ((outside != NetworkInput - 1 && outside != input) || !maps.contains(input)) return false;
        outside = input;
      }
    }
    const auto [height, width] = maps[outside];
    if (height <= 0 || width <= 0 || !exact_cover(*action.tiles, maps[action.last])) return false;
    if (!move(outside, action.device, share, copies, sum)) return false;
    std::vector<Expense> work(problem_.devices.size());
    std::vector<bool> used(problem_.devices.size(), false);
    const auto send = [&](int from, int to, Bytes size, Expense& expense) {
      if (from == to) return;
      const auto [link, cost] = wire(from, to, size);
      expense.plus_sequential(cost);
      if (link >= 0) sum.loads[problem_.devices.size() + at(link)] += product(cost.mean, share);
    };
    for (const Tile& tile : *action.tiles) {
      Expense& expense = work[at(tile.device)];
      used[at(tile.device)] = true;
      std::map<int, Box> boxes = grow(action, tile, maps);
      send(action.device, tile.device, ratio(bytes(outside), boxes[outside].area(), std::int64_t{1} * height * width),
           expense);
      for (int layer = action.first; layer <= action.last; ++layer) {
        const std::int64_t part = boxes[layer].area();
        if (part == 0) continue;
        const std::int64_t whole = std::int64_t{1} * maps[layer].first * maps[layer].second;
        Expense cost = layer_expense(layer, tile.device);
        cost = {ratio(cost.mean, part, whole), ratio(cost.bound, part, whole), ratio(cost.energy, part, whole),
                cost.possible};
        expense.plus_sequential(cost);
        sum.loads[at(tile.device)] = plus(sum.loads[at(tile.device)], product(cost.mean, share));
      }
      send(tile.device, action.device,
           ratio(bytes(action.last), boxes[action.last].area(),
                 std::int64_t{1} * maps[action.last].first * maps[action.last].second),
           expense);
    }
    Expense slowest;
    for (const Expense& one : work)
      slowest = {std::max(slowest.mean, one.mean), std::max(slowest.bound, one.bound), plus(slowest.energy, one.energy),
                 slowest.possible && one.possible};
    for (int layer = action.first; layer <= action.last; ++layer)
      for (std::size_t device = 0; device < used.size(); ++device)
        if (used[device]) sum.memory[device] += sizes(layer).weight_bytes;
    for (int layer = action.first; layer <= action.last; ++layer)
      if (layer == action.last) {
        copies[layer] = {action.device, 1U << action.device};
        if (answers(layer) && !move(layer, problem_.home, share, copies, sum)) return false;
      }
    return pay(slowest, share, sum);
  }

  bool read_after(int layer, int last) const {
    for (int later = last + 1; later < static_cast<int>(problem_.layers.size()); ++later)
      for (const int input : problem_.layers[at(later)].inputs)
        if (input == layer) return true;
    return false;
  }

  static bool exact_cover(const std::vector<Tile>& tiles, std::pair<int, int> map) {
    std::vector<int> hits(at(map.first) * at(map.second), 0);
    for (const Tile& tile : tiles)
      for (int row = tile.first_row; row <= tile.last_row; ++row)
        for (int column = tile.first_column; column <= tile.last_column; ++column) {
          if (row < 0 || column < 0 || row >= map.first || column >= map.second) return false;
          ++hits[at(row) * at(map.second) + at(column)];
        }
    return std::all_of(hits.begin(), hits.end(), [](int hit) { return hit == 1; });
  }

  std::map<int, Box> grow(const Action& action, const Tile& tile,
                          const std::map<int, std::pair<int, int>>& maps) const {
    std::map<int, Box> boxes{{action.last, {tile.first_row, tile.last_row, tile.first_column, tile.last_column}}};
    const bool isolated = problem_.variants[at(variant_)].isolated_tiles;
    for (int layer = action.last; layer >= action.first; --layer) {
      const Box box = boxes[layer];
      if (box.area() == 0) continue;
      for (const int input : problem_.layers[at(layer)].inputs) {
        const auto [height, width] = maps.at(input);
        const auto [top, bottom] = span(*problem_.layers[at(layer)].window, box.top, box.bottom, height, isolated);
        const auto [left, right] = span(*problem_.layers[at(layer)].window, box.left, box.right, width, isolated);
        if (bottom < top || right < left) continue;
        Box& grown = boxes[input];
        grown = {std::min(grown.top, top), std::max(grown.bottom, bottom), std::min(grown.left, left),
                 std::max(grown.right, right)};
      }
    }
    return boxes;
  }

  const Problem& problem_;
  const Request& request_;
  const Policy& policy_;
  int variant_;
  Wide share_;
  std::vector<int> last_reader_;
};

/// Shows that no plan of a case is below a claimed bound.
class BoundChecker {
 public:
  BoundChecker(const CaseChecker& model, const Request& request, const Certificate::Case& claim, std::size_t most)
      : model_(model),
        request_(request),
        claim_(claim),
        most_(most),
        throughput_(request.objective == Objective::Throughput),
        grain_(model.grain()) {}

  bool holds() {
    const std::int64_t multiplier = std::max<std::int64_t>(claim_.deadline_multiplier, 0);
    if (claim_.deadline_multiplier < 0)
      return request_.deadline && rest(model_.needed(0), model_.start(), times_, true) > *request_.deadline;
    if (multiplier > 0 && !request_.deadline) return false;
    if (throughput_) {
      if (claim_.load_multipliers.size() != model_.nothing().loads.size()) return false;
      for (const std::int64_t one : claim_.load_multipliers) {
        if (one < 0 || one > LargestStep) return false;
        multiplier_sum_ += one;
      }
      if (multiplier_sum_ == 0) return false;
    }
    return none_below(model_.needed(0), model_.start(), model_.nothing());
  }

 private:
  using Memory = std::map<std::pair<int, Copies>, Big>;

  // The relaxed cost of a sum: objective and priced time, or weighted loads in grains and priced time.
  Big relaxed(const Sum& sum) const {
    Big result = sum.objective;
    if (throughput_) {
      result = 0;
      for (std::size_t index = 0; index < sum.loads.size(); ++index)
        result += Big{sum.loads[index] / grain_} * claim_.load_multipliers[index];
    }
    return result + Big{sum.bound} * std::max<std::int64_t>(claim_.deadline_multiplier, 0);
  }

  // The least relaxed cost, or time, from a state to the end.
  Big rest(int layer, const Copies& copies, Memory& memory, bool time) {
    if (layer >= model_.count()) return 0;
    if (const auto known = memory.find({layer, copies}); known != memory.end()) return known->second;
    Big least = NeverBig;
    for (const Action& action : model_.actions(layer)) {
      Copies after = copies;
      Sum sum = model_.nothing();
      if (!model_.act(action, after, sum)) continue;
      // An action that alone loads something as much as the claim is part of no plan below it.
      if (!time && throughput_ && model_.value(sum) >= claim_.lower_bound) continue;
      const Big own = time ? Big{sum.bound} : relaxed(sum);
      least = std::min(least, own + rest(model_.needed(action.last + 1), after, memory, time));
    }
    return memory[{layer, copies}] = least;
  }

  bool hopeless(int layer, const Copies& copies, const Sum& sum) {
    if (!model_.allowed(sum) || model_.value(sum) >= claim_.lower_bound) return true;
    // A plan below the claim: its loads are at most the last multiple of the grain before it.
    const Big most =
        throughput_ ? Big{(claim_.lower_bound - 1) / grain_} * multiplier_sum_ : Big{claim_.lower_bound - 1};
    const Big allowance =
        claim_.deadline_multiplier > 0 ? Big{*request_.deadline} * claim_.deadline_multiplier : Big{0};
    if (relaxed(sum) + rest(layer, copies, relaxed_, false) > most + allowance) return true;
    return request_.deadline && sum.bound + rest(layer, copies, times_, true) > *request_.deadline;
  }

  bool none_below(int layer, const Copies& copies, const Sum& sum) {
    if (hopeless(layer, copies, sum)) return true;
    if (layer >= model_.count()) return false;  // a plan below the claimed bound
    std::vector<Sum>& seen = seen_[{layer, copies}];
    for (const Sum& other : seen)
      if (no_better(sum, other)) return true;
    if (++labels_ > most_) return false;
    seen.push_back(sum);
    for (const Action& action : model_.actions(layer)) {
      Copies after = copies;
      Sum next = sum;
      if (model_.act(action, after, next) && !none_below(model_.needed(action.last + 1), after, next)) return false;
    }
    return true;
  }

  bool no_better(const Sum& sum, const Sum& other) const {
    const auto covers = [](const Wide& more, const Wide& less) {
      return std::equal(more.begin(), more.end(), less.begin(), [](auto a, auto b) { return a >= b; });
    };
    return (throughput_ ? covers(sum.loads, other.loads) : sum.objective >= other.objective) &&
           sum.bound >= other.bound && covers(sum.memory, other.memory);
  }

  const CaseChecker& model_;
  const Request& request_;
  const Certificate::Case& claim_;
  std::size_t most_, labels_ = 0;
  bool throughput_;
  std::int64_t grain_;
  Big multiplier_sum_ = 0;
  Memory relaxed_, times_;
  std::map<std::pair<int, Copies>, std::vector<Sum>> seen_;
};

CheckResult failure(std::string reason) { return {false, std::move(reason), 0, 0}; }

/// The plan's own value, or a reason against it.
CheckResult check_plan(const Problem& problem, const Request& request, const SharedPlan& plan) {
  if (plan.policy < 0 || at(plan.policy) >= problem.policies.size() || plan.variant < 0 ||
      at(plan.variant) >= problem.variants.size())
    return failure("no such policy or variant");
  const CaseChecker model(problem, request, plan.policy, plan.variant);
  Copies copies = model.start();
  Sum sum = model.nothing();
  int next = model.needed(0);
  for (const PlanStep& step : plan.steps) {
    if (step.last < step.first || step.first > next || step.last < next || step.device < 0 ||
        at(step.device) >= problem.devices.size() || step.last >= model.count())
      return failure("steps are not in order");
    const Group* group = step.tiles.empty() ? model.own_group(step.first, step.last, step.device) : nullptr;
    if (!model.act({step.first, step.last, step.device, group, step.tiles.empty() ? nullptr : &step.tiles}, copies,
                   sum))
      return failure("a step cannot be executed");
    next = model.needed(step.last + 1);
  }
  if (next < model.count()) return failure("a layer is in no step");
  if (!model.allowed(sum)) return failure("the plan breaks the deadline or a memory");
  if (problem.policies[at(plan.policy)].accuracy[at(plan.variant)] < problem.accuracy_floor)
    return failure("the plan is below the accuracy floor");
  return {true, {}, model.value(sum), 0};
}

}  // namespace

CheckResult check(const Problem& problem, const Request& request, const SharedPlan& plan, std::size_t most_labels) {
  CheckResult result = check_plan(problem, request, plan);
  if (!result.valid) return result;
  if (plan.certificate.empty()) return failure("the plan has no certificate");
  const Certificate& certificate = plan.certificate.front();
  if (certificate.value != result.value) return failure("the plan's value is not the certified one");
  result.lower_bound = Never;
  for (int policy = 0; policy < static_cast<int>(problem.policies.size()); ++policy) {
    for (int variant = 0; variant < static_cast<int>(problem.variants.size()); ++variant) {
      if (problem.policies[at(policy)].accuracy[at(variant)] < problem.accuracy_floor) continue;
      const auto found =
          std::find_if(certificate.cases.begin(), certificate.cases.end(),
                       [&](const Certificate::Case& one) { return one.policy == policy && one.variant == variant; });
      const std::string name = problem.policies[at(policy)].name + ", " + problem.variants[at(variant)].name;
      if (found == certificate.cases.end()) return failure("no bound for " + name);
      const CaseChecker model(problem, request, policy, variant);
      if (!BoundChecker(model, request, *found, most_labels).holds())
        return failure("the bound is not shown for " + name);
      result.lower_bound = std::min(result.lower_bound, found->lower_bound);
    }
  }
  if (certificate.lower_bound > result.lower_bound) return failure("the lower bound is above a case's");
  return result;
}

}  // namespace espalier::plan

#include "plan/search/state_graph.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "esp_error.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/cost/tiles.hpp"
#include "plan/search/multipliers.hpp"

namespace espalier::plan {

namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr std::size_t MostStates = 1'000'000;

/// A tensor that is still needed: who made it, who holds it.
struct Alive {
  int tensor = NetworkInput;
  int producer = 0;
  std::uint32_t holders = 0;
  auto operator<=>(const Alive&) const = default;  // NOLINT(modernize-use-nullptr)
};
using State = std::vector<Alive>;  // by tensor

}  // namespace

class StateGraphBuilder {
 public:
  StateGraphBuilder(const Problem& problem, const Policy& policy, StateGraph& graph)
      : problem_(problem), policy_(policy), graph_(graph), reach_(reach(problem, policy)) {
    for (int layer = 0; layer < static_cast<int>(problem.layers.size()); ++layer)
      if (reach_[at(layer)] > 0) order_.push_back(layer);
    last_use_.assign(problem.layers.size() + 1, -1);
    for (int position = 0; position < static_cast<int>(order_.size()); ++position)
      for (const int input : problem.layers[at(order_[at(position)])].inputs) last_use_[at(input + 1)] = position;
  }

  void build() {
    make_choices();
    for (std::size_t position = by_position_.size(); position-- > 0;)
      graph_.late_first_.insert(graph_.late_first_.end(), by_position_[position].begin(), by_position_[position].end());
    const int count = static_cast<int>(order_.size());
    graph_.positions_ = count;
    std::vector<BasisPoints> shares;
    for (const int layer : order_) shares.push_back(reach_[at(layer)]);
    graph_.grain_ = grain_of(shares);
    std::vector<std::map<State, std::uint32_t>> found(order_.size() + 1);
    // States of a position get numbers when all that lead to it are known; arcs are kept with places until then.
    struct Draft {
      std::uint32_t from;
      int position;
      State state;
      std::uint32_t choice;
      std::vector<std::uint32_t> transfers;
    };
    found[0].emplace(State{{NetworkInput, problem_.home, 1U << problem_.home}}, 0);
    std::vector<Draft> drafts;
    std::uint32_t number = 0;
    std::vector<std::uint32_t> first_state;  // per position
    for (int position = 0; position <= count; ++position) {
      first_state.push_back(number);
      for (auto& [state, index] : found[at(position)]) {
        index = number++;
        graph_.first_arc_.push_back(static_cast<std::uint32_t>(drafts.size()));
        for (const std::uint32_t choice : by_position_[at(position)]) {
          Draft draft{index, graph_.choices_[choice].next_position, {}, choice, {}};
          draft.state = apply(state, graph_.choices_[choice], draft.transfers);
          found[at(draft.position)].emplace(draft.state, 0);
          drafts.push_back(std::move(draft));
        }
      }
      if (number > MostStates)
        throw Error(ErrorCode::Unsupported, "too many branches at once for an exact plan",
                    "layer " + std::to_string(position), std::to_string(number) + " states",
                    "describe the branches as one layer, or give fewer devices");
    }
    graph_.first_arc_.push_back(static_cast<std::uint32_t>(drafts.size()));
    for (const Draft& draft : drafts) {
      graph_.arcs_.push_back({draft.from, found[at(draft.position)].at(draft.state), draft.choice,
                              static_cast<std::uint32_t>(graph_.transfers_.size()),
                              static_cast<std::uint32_t>(draft.transfers.size())});
      graph_.transfers_.insert(graph_.transfers_.end(), draft.transfers.begin(), draft.transfers.end());
    }
    sort_by_target();
    choose_middle(first_state);
  }

 private:
  void sort_by_target() {
    graph_.first_into_.assign(graph_.states() + 1, 0);
    for (const StateGraph::Arc& arc : graph_.arcs_) ++graph_.first_into_[arc.to + 1];
    std::partial_sum(graph_.first_into_.begin(), graph_.first_into_.end(), graph_.first_into_.begin());
    std::vector<std::uint32_t> next = graph_.first_into_;
    graph_.into_.resize(graph_.arcs_.size());
    for (std::uint32_t index = 0; index < graph_.arcs_.size(); ++index)
      graph_.into_[next[graph_.arcs_[index].to]++] = index;
  }

  // Of the positions near the middle the one with the fewest states: halves are joined state by state.
  void choose_middle(std::vector<std::uint32_t>& first_state) {
    const auto count = static_cast<int>(order_.size());
    first_state.push_back(static_cast<std::uint32_t>(graph_.states()));
    const auto states_at = [&](int position) { return first_state[at(position) + 1] - first_state[at(position)]; };
    int best = (count + 1) / 2;
    for (int position = std::max(1, count * 2 / 5); position <= count * 3 / 5; ++position)
      if (states_at(position) > 0 && (states_at(best) == 0 || states_at(position) < states_at(best))) best = position;
    graph_.middle_ = first_state[at(best)];
  }

  void add_choice(Choice choice) {
    choice.share = reach_[at(choice.first)];
    by_position_[at(choice.position)].push_back(static_cast<std::uint32_t>(graph_.choices_.size()));
    graph_.choices_.push_back(choice);
  }

  // Whether all layers of the range are needed by the same samples.
  bool uniform(int first, int last) const {
    return reach_[at(first)] > 0 && std::all_of(reach_.begin() + first, reach_.begin() + last + 1,
                                                [&](BasisPoints share) { return share == reach_[at(first)]; });
  }

  bool head_inside(int first, int last) const {
    for (int layer = first; layer < last; ++layer)
      if (is_exit(problem_, policy_, layer)) return true;
    return false;
  }

  bool supported(int layer, int device) const {
    return std::any_of(problem_.variants.begin(), problem_.variants.end(),
                       [&](const Variant& variant) { return variant.layers[at(layer)].costs[at(device)].has_value(); });
  }

  void make_choices() {
    by_position_.resize(order_.size() + 1);
    const int devices = static_cast<int>(problem_.devices.size());
    std::vector<int> position(problem_.layers.size(), 0);
    for (std::size_t index = 0; index < order_.size(); ++index) position[at(order_[index])] = static_cast<int>(index);
    for (const int layer : order_)
      for (int device = 0; device < devices; ++device)
        if (supported(layer, device) || has_own_group(layer, device))
          add_choice({layer, layer, device, Choice::None, Choice::None, Choice::None, position[at(layer)],
                      position[at(layer)] + 1, 0});
    for (std::size_t index = 0; index < problem_.groups.size(); ++index) {
      const Group& group = problem_.groups[index];
      if (group.first < group.last && uniform(group.first, group.last))
        add_choice({group.first, group.last, group.device, Choice::None, static_cast<int>(index), group.variant,
                    position[at(group.first)], position[at(group.last)] + 1, 0});
    }
    for (std::size_t index = 0; index < problem_.tilings.size(); ++index) {
      const Tiling& tiling = problem_.tilings[index];
      if (!uniform(tiling.first, tiling.last) || head_inside(tiling.first, tiling.last) || !valid(tiling)) continue;
      for (int device = 0; device < devices; ++device)
        add_choice({tiling.first, tiling.last, device, static_cast<int>(index), Choice::None, Choice::None,
                    position[at(tiling.first)], position[at(tiling.last)] + 1, 0});
    }
  }

  bool has_own_group(int layer, int device) const {
    return std::any_of(problem_.groups.begin(), problem_.groups.end(), [&](const Group& group) {
      return group.first == layer && group.last == layer && group.device == device;
    });
  }

  bool valid(const Tiling& tiling) const {
    const std::optional<Window>& output = problem_.layers[at(tiling.last)].window;
    return segment(problem_, tiling.first, tiling.last).tileable &&
           covers_once(tiling.tiles, output->height, output->width);
  }

  void fetch(State& state, int tensor, int device, std::vector<std::uint32_t>& transfers) const {
    const auto alive = std::find_if(state.begin(), state.end(), [&](const Alive& one) { return one.tensor == tensor; });
    if (alive == state.end() || (alive->holders >> device & 1U) != 0) return;
    alive->holders |= 1U << device;
    const auto devices = static_cast<std::uint32_t>(problem_.devices.size());
    transfers.push_back(
        (static_cast<std::uint32_t>(tensor + 1) * devices + static_cast<std::uint32_t>(alive->producer)) * devices +
        static_cast<std::uint32_t>(device));
  }

  State apply(State state, const Choice& choice, std::vector<std::uint32_t>& transfers) const {
    const bool tiled = choice.tiling != Choice::None;
    for (int layer = choice.first; layer <= choice.last; ++layer) {
      for (const int input : problem_.layers[at(layer)].inputs) fetch(state, input, choice.device, transfers);
      if (tiled && layer < choice.last) continue;
      state.push_back({layer, choice.device, 1U << choice.device});
      if (is_exit(problem_, policy_, layer)) fetch(state, layer, problem_.home, transfers);
    }
    // A tensor that nobody reads later is forgotten; one whose copies cannot matter any more keeps them, which only
    // splits states that cost the same.
    std::erase_if(state, [&](const Alive& one) { return last_use_[at(one.tensor + 1)] < choice.next_position; });
    std::sort(state.begin(), state.end());
    return state;
  }

  const Problem& problem_;
  const Policy& policy_;
  StateGraph& graph_;
  std::vector<BasisPoints> reach_;
  std::vector<int> order_;     // layers that are needed
  std::vector<int> last_use_;  // position, per tensor; the network's input first
  std::vector<std::vector<std::uint32_t>> by_position_;
};

StateGraph::StateGraph(const Problem& problem, const Policy& policy) {
  StateGraphBuilder(problem, policy, *this).build();
}

}  // namespace espalier::plan

#include "plan/planners/placement_cut.hpp"

#include <algorithm>
#include <cstddef>

#include "plan/cost/evaluate.hpp"
#include "plan/cost/transfer.hpp"
#include "plan/planners/actions.hpp"
#include "plan/planners/max_flow.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// Source side: at home; sink side: at the server.
class CutBuilder {
 public:
  CutBuilder(const Problem& problem, Objective objective, int policy, int variant, int server,
             const CutWeights& weights)
      : problem_(problem),
        objective_(objective),
        variant_(variant),
        server_(server),
        weights_(weights),
        policy_(problem.policies[at(policy)]),
        shares_(reach(problem, policy_)),
        layers_(needed_layers(problem, policy)),
        network_(static_cast<int>(layers_.size()) + 2) {
    node_.assign(problem.layers.size() + 1, source());
    for (std::size_t index = 0; index < layers_.size(); ++index)
      node_[at(layers_[index] + 1)] = static_cast<int>(index);
  }

  std::optional<PlacementCut> solve(WayBack way_back, int begin, int end) {
    for (std::size_t index = 0; index < layers_.size(); ++index) {
      const int layer = layers_[index];
      const int node = static_cast<int>(index);
      network_.add_edge(source(), node, node < begin ? Impossible : compute(layer, server_, weights_.server));
      network_.add_edge(node, sink(), node >= end ? Impossible : compute(layer, problem_.home, weights_.home));
      if (node < begin) forbid_server(node);
      if (node >= end) forbid_home(node);
    }
    for (int tensor = NetworkInput; tensor < static_cast<int>(problem_.layers.size()); ++tensor) {
      if (tensor != NetworkInput && shares_[at(tensor)] == 0) continue;
      add_tensor(tensor, way_back);
    }
    const int nodes = network_.nodes();
    FlowNetwork::Cut cut = network_.minimum_cut(source(), sink());
    if (cut.value >= Impossible) return std::nullopt;
    PlacementCut result{cut.value, {}, nodes};
    for (std::size_t index = 0; index < layers_.size(); ++index) result.server.push_back(!cut.source_side[index]);
    return result;
  }

 private:
  int source() const { return static_cast<int>(layers_.size()); }
  int sink() const { return source() + 1; }
  void forbid_server(int node) { network_.add_edge(source(), node, Impossible); }
  void forbid_home(int node) { network_.add_edge(node, sink(), Impossible); }

  std::int64_t weighted(const Primitive& cost, BasisPoints share, std::int64_t weight) const {
    if (!cost.possible()) return Impossible;
    return times(times(objective_ == Objective::Energy ? cost.energy : cost.mean, share), weight);
  }
  std::int64_t compute(int layer, int device, std::int64_t weight) const {
    return weighted(layer_cost(problem_, variant_, layer, device), shares_[at(layer)], weight);
  }

  // Sends to the server: paid once if a reader is there and the maker at home. The share is that of the first reader.
  // Returns: paid once if a reader, or the owner of an answer, is at home and the maker at the server.
  void add_tensor(int tensor, WayBack way_back) {
    std::vector<int> readers;
    for (const int layer : layers_) {
      const std::vector<int>& inputs = problem_.layers[at(layer)].inputs;
      if (std::find(inputs.begin(), inputs.end(), tensor) != inputs.end()) readers.push_back(layer);
    }
    const bool answer = tensor != NetworkInput && is_exit(problem_, policy_, tensor);
    const int maker = node_[at(tensor + 1)];
    const Bytes bytes = tensor_bytes(problem_, variant_, tensor);
    const Primitive up = transfer(problem_, problem_.home, server_, bytes);
    const Primitive down = transfer(problem_, server_, problem_.home, bytes);
    if (!readers.empty()) {
      const int sent = network_.add_node();
      network_.add_edge(maker, sent, weighted(up, shares_[at(readers.front())], weights_.link));
      for (const int reader : readers) network_.add_edge(sent, node_[at(reader + 1)], Impossible);
    }
    if (tensor == NetworkInput) return;
    const BasisPoints share = answer ? shares_[at(tensor)] : readers.empty() ? Whole : shares_[at(readers.front())];
    if (answer) network_.add_edge(source(), maker, weighted(down, share, weights_.link));
    if (way_back == WayBack::Forbidden) {
      for (const int reader : readers) network_.add_edge(node_[at(reader + 1)], maker, Impossible);
    } else if (!readers.empty() && !answer) {
      const int returned = network_.add_node();
      network_.add_edge(returned, maker, weighted(down, share, weights_.link));
      for (const int reader : readers) network_.add_edge(node_[at(reader + 1)], returned, Impossible);
    }
  }

  const Problem& problem_;
  Objective objective_;
  int variant_, server_;
  CutWeights weights_;
  const Policy& policy_;
  std::vector<BasisPoints> shares_;
  std::vector<int> layers_, node_;
  FlowNetwork network_;
};

}  // namespace

std::optional<PlacementCut> placement_cut(const Problem& problem, Objective objective, int policy, int variant,
                                          int server, WayBack way_back, const CutWeights& weights, int begin, int end) {
  return CutBuilder(problem, objective, policy, variant, server, weights).solve(way_back, begin, end);
}

SharedPlan placement_plan(const Problem& problem, int policy, int variant, int server, const PlacementCut& cut) {
  std::vector<int> devices;
  for (const bool away : cut.server) devices.push_back(away ? server : problem.home);
  return placed(problem, policy, variant, devices);
}

}  // namespace espalier::plan

// Minimum cuts by maximum flow.
//
// Dinic, "Algorithm for solution of a problem of maximum flow in a network with power estimation", 1970.
#pragma once

#include <cstdint>
#include <vector>

namespace espalier::plan {

class FlowNetwork {
 public:
  explicit FlowNetwork(int nodes) : first_(static_cast<std::size_t>(nodes), -1) {}
  int add_node() {
    first_.push_back(-1);
    return static_cast<int>(first_.size()) - 1;
  }
  void add_edge(int from, int to, std::int64_t capacity);

  struct Cut {
    std::int64_t value = 0;
    std::vector<bool> source_side;  // per node
  };
  /// The minimum cut between two nodes. Changes the network; call it once.
  Cut minimum_cut(int source, int sink);
  int nodes() const { return static_cast<int>(first_.size()); }

 private:
  struct Edge {
    int to;
    int next;
    std::int64_t left;
  };
  bool levels(int source, int sink);
  std::int64_t push(int node, int sink, std::int64_t most);

  std::vector<int> first_;
  std::vector<Edge> edges_;
  std::vector<int> level_, at_;
};

}  // namespace espalier::plan

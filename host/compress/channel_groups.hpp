// Channels that scale together: a factor on one of them changes no result if all of its group have it and the
// convolutions around them undo it.
//
//   ChannelGroups groups(canonical);
//   if (!groups.fixed(value, channel)) factor[groups.of(value, channel)] = 2;
#pragma once

#include <cstddef>
#include <vector>

#include "model/graph.hpp"

namespace espalier::compress {

/// The channels of all activations of a canonical graph, in groups. Convolutions separate groups; additions, joins,
/// pools, ReLUs, resizing and products with a gate connect them. A group is fixed if a factor
/// would change a result: at inputs and outputs of the graph, clamps elsewhere than at zero, operators that are not
/// linear, and convolutions whose weights are not float32 constants of their own.
class ChannelGroups {
 public:
  explicit ChannelGroups(const model::Graph& canonical);

  std::size_t channels(int value) const;
  /// A number below size(), equal for the channels of a group.
  std::size_t of(int value, std::size_t channel) const;
  bool fixed(int value, std::size_t channel) const { return fixed_[of(value, channel)]; }
  std::size_t size() const { return parent_.size(); }
  /// A value that stands for all values that share a group with it, directly or over others.
  int set_of(int value) const;

 private:
  void connect(const model::Node& node);
  void connect_real(const model::Node& node);
  void unite(int value, std::size_t channel, int other, std::size_t other_channel);
  void unite(int value, int other, std::size_t first = 0);
  void fix(int value);
  void fix_all(const model::Node& node);

  const model::Graph& graph_;
  std::vector<std::size_t> first_;   // number of the first channel of every value
  std::vector<std::size_t> parent_;  // of every channel: a forest
  std::vector<bool> fixed_;          // at the roots
  std::vector<int> set_;             // parents of values: a forest
};

/// Whether a convolution's weights and bias are float32 constants that nothing else reads.
bool changeable(const model::Graph& graph, const model::Node& convolution);

}  // namespace espalier::compress

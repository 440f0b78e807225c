// What groups of layers cost on the accelerator, or why it refuses them: every group is compiled once.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "model/network.hpp"

namespace espalier::plan {

/// A group of layers as the accelerator would run it.
struct Candidate {
  std::shared_ptr<const compile::Compiled> compiled;  // none: refused
  std::string refusal;

  bool possible() const { return compiled != nullptr; }
  std::uint64_t cycles() const { return compiled ? compiled->total_cycles : 0; }
};

class Candidates {
 public:
  /// Keeps references to both.
  Candidates(const model::Network& network, const abi::Configuration& configuration, compile::Options options)
      : network_(network), configuration_(configuration), options_(std::move(options)) {}

  /// `layers` ascending. Compiled at the first call.
  const Candidate& group(const std::vector<int>& layers);

  std::size_t compiled() const { return groups_.size(); }

 private:
  const model::Network& network_;
  const abi::Configuration& configuration_;
  compile::Options options_;
  std::map<std::vector<int>, Candidate> groups_;
};

/// Cycles that no program for these layers stays below: one multiplication per multiplier and cycle.
std::uint64_t least_cycles(const model::Network& network, int layer, const abi::Configuration& configuration);

/// Groups of all `movable` layers, as few in a row as possible: a layer's group begins behind all layers elsewhere that
/// it depends on. Each is ascending, none waits for itself, and they are in an order in which they can run.
std::vector<std::vector<int>> fewest_groups(const model::Network& network, const std::vector<bool>& movable);

}  // namespace espalier::plan

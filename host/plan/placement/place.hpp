// From a quantised network to a plan that runs it on the accelerator and the CPU together, with the reason for the
// place of every layer.
//
//   MixedPlan plan = place(network, abi::Array16x16, costs, {.policy = Policy::Latency});
//   run::MixedSession session(&device, plan, ports, settings);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "model/network.hpp"
#include "plan/placement/cpu_costs.hpp"
#include "plan/placement/segments.hpp"

namespace espalier::plan {

enum class Place { Accelerator, Host };

enum class Policy {
  AcceleratorFirst,  // everything that can run on the accelerator does
  Latency,           // least time of a frame by the cost model
  HostOnly,
};

/// The link between host and accelerator. A tensor takes latency + bytes / bandwidth in either direction.
struct LinkModel {
  Nanoseconds start = 10'000;   // of a program: doorbell to first cycle, last cycle to the host knowing
  Nanoseconds latency = 2'000;  // per tensor
  double bytes_per_ns = 8;
};

struct PlaceOptions {
  Policy policy = Policy::AcceleratorFirst;
  std::map<std::string, Place> pins;  // by the name of the layer
  bool forbid_host = false;           // refuse instead of falling back to the CPU
  bool costs = false;                 // state costs with policies that do not need them
  double mhz = 300;                   // clock of the accelerator
  LinkModel link;
  compile::Options compile;
  std::size_t group_trials = 8;  // groups that the search may compile beyond the first ones
  std::function<void(const std::string&)> progress;
};

/// Where a layer runs, why, and what it costs in either place. Costs are there if the plan has costs.
struct LayerPlacement {
  std::string layer, op, shape;
  Place place = Place::Accelerator;
  bool pinned = false;
  std::string reason;
  std::string refusal;                           // of the accelerator; empty: it can run the layer
  int segment = 0;                               // index into MixedPlan::segments
  std::optional<CpuTime> host;                   // on the CPU
  std::optional<std::uint64_t> cycles;           // on the accelerator: its share of its group, or alone
  std::optional<Nanoseconds> accelerator;        // the same as time, without transfers
  std::optional<Nanoseconds> gain_if_supported;  // layers on the host that are refused or pinned: at most so much less
  std::int64_t macs = 0, nonzero_macs = 0;
};

/// Layers that run together: a program of the accelerator, or a stretch of CPU work.
struct Segment {
  Place place = Place::Accelerator;
  std::vector<int> layers;  // ascending
  Piece piece;
  std::shared_ptr<const compile::Compiled> compiled;  // accelerator
  Nanoseconds time = 0;                               // with costs: compute and start, without transfers
  Nanoseconds transfers = 0;                          // with costs: what enters and leaves it, with changes of layout
};

/// What is proven of the cost.
struct Certificate {
  bool optimal = false;               // among all divisions into the groups considered
  Nanoseconds bound = 0;              // no plan of those groups costs less
  Nanoseconds bound_any_group = 0;    // no plan at all does: minimum cut with one MAC per multiplier and cycle
  std::size_t groups_considered = 0;  // groups of layers that the search could choose
  std::size_t groups_compiled = 0;
};

/// Costs of a plan and of others for comparison, all by the same model; Impossible: there is no such plan.
struct PlanCosts {
  Nanoseconds total = 0, host = 0, accelerator = 0, transfers = 0;
  Nanoseconds all_host = 0, accelerator_first = 0, greedy = 0;
  Certificate certificate;
};

struct MixedPlan {
  std::string name;
  model::Network network;
  abi::Configuration configuration;
  std::vector<LayerPlacement> layers;  // per layer of the network
  std::vector<Segment> segments;       // in an order in which they can run
  std::optional<PlanCosts> costs;
  std::string objective;  // what the costs count, in words

  bool mixed() const { return segments.size() != 1 || segments[0].place == Place::Host; }
};

/// Places a network. CPU times come from `costs`, which may measure. Throws Error(Usage) for pins of layers that do not
/// exist, Error(Unsupported) naming every layer with its reason if the CPU is forbidden and needed, or a layer is
/// pinned to an accelerator that refuses it.
MixedPlan place(const model::Network& network, const abi::Configuration& configuration, CpuCosts& costs,
                const PlaceOptions& options);

const char* to_string(Place place);

}  // namespace espalier::plan

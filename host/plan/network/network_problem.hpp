// The problem of sharing a given network among an accelerator, the CPU beside it and a server.
//
//   Problem problem = network_problem(network, abi::Array16x16, {}, machines);
//
// Times on the accelerator are exact: cycles of compiled programs, from start to done, at the clock. A layer alone is a
// program of its own, and so are the whole network and its beginnings and ends at the positions where the fewest bytes
// are alive; these are declared as groups. Times on CPU and server are stated factors of the accelerator's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compile/compile.hpp"
#include "model/network.hpp"
#include "plan/cost/problem.hpp"

namespace espalier::plan {

/// The machines around the network. Layers of a factor-2 machine take half of the accelerator's time.
struct Machines {
  double clock_megahertz = 300;
  double cpu = 0.1;                                   // speed, as a multiple of the accelerator's; 0: no CPU
  double server = 10;                                 // the same; 0: no server
  std::int64_t bus_bytes_per_second = 2'000'000'000;  // between accelerator and CPU, each way
  Nanoseconds bus_latency = 5'000;
  std::int64_t up_bytes_per_second = 1'250'000;  // 10 Mbit/s
  std::int64_t down_bytes_per_second = 2'500'000;
  Nanoseconds link_latency = 10'000'000;  // one way
  double accelerator_watts = 5, cpu_watts = 3, server_watts = 0;
  std::int64_t bus_picojoules_per_byte = 10;
  std::int64_t up_picojoules_per_byte = 60'000, down_picojoules_per_byte = 40'000;  // of the radio
};

/// Throws Error (Usage) for machines out of range.
void check(const Machines& machines);

/// One network with its accelerator cycles: a variant of the problem.
struct NetworkTimes {
  struct Run {
    int first = 0, last = 0;
    std::int64_t cycles = 0;
  };
  std::vector<std::optional<std::int64_t>> alone;  // per layer: cycles of its own program; none: not supported
  std::vector<std::int64_t> share;                 // per layer: its part of the whole program, the base of factors
  std::vector<Run> runs;                           // programs of several layers
};

struct TimesOptions {
  compile::Options compile;  // timing must be on
  int positions = 3;         // where beginnings and ends are compiled
  std::function<void(const std::string&)> progress;
};

/// Compiles the network as a whole, layer by layer, and in beginnings and ends. A layer that the compiler refuses has
/// no time, and no run holds it. Throws Error (Model) for a network that is not valid.
NetworkTimes network_times(const model::Network& network, const abi::Configuration& configuration,
                           const TimesOptions& options);

/// The same layers with weights of another variant: pruned, or of other precision.
struct NetworkVariant {
  std::string name;
  BasisPoints accuracy = Whole;
  NetworkTimes times;
  std::int64_t weight_percent = 100;  // bytes of weights, of the network's
};

/// Devices accelerator (home), cpu, server; one exit per output of the network, all of them given out. Throws Error
/// (Usage) for machines out of range.
Problem network_problem(const model::Network& network, const std::vector<NetworkVariant>& variants,
                        const Machines& machines);

/// A compiled file has no layers to cut between: its problem is one layer, exact on the accelerator.
Problem compiled_problem(const compile::Compiled& compiled, const std::string& name, const Machines& machines);

}  // namespace espalier::plan

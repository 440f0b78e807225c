// Executing a plan in virtual time: devices and links as resources, a queue of events, and the same policy code that
// decides in a real run (policy/follow.hpp).
//
//   const Execution execution = execute(problem, plan);       // one sample of every kind; totals as in evaluate()
//   const Stream stream = execute_stream(problem, plan, 100);  // many samples in flight
#pragma once

#include <functional>
#include <vector>

#include "plan/cost/plan_data.hpp"
#include "plan/policy/follow.hpp"

namespace espalier::plan {

enum class Times { Mean, Bound };

/// Something that was done, when and where.
struct Done {
  Action action;
  int sample = 0;
  Nanoseconds begin = 0, end = 0;
};

/// What happened to one sample.
struct SampleRun {
  int leave = 0;  // index into the policy's leaves
  Nanoseconds begin = 0, end = 0;
};

/// Totals over the policy's leaves, each executed once alone and counted with its share: the units of Evaluation.
struct Execution {
  std::int64_t latency = 0;         // nanoseconds * Whole
  std::int64_t energy = 0;          // nanojoules * Whole
  std::vector<std::int64_t> loads;  // nanoseconds * Whole: devices, then links
  std::int64_t bottleneck = 0;
  Nanoseconds bound = 0;                  // of a sample that takes every exit's way, with the bounds of all times
  std::vector<std::vector<Done>> traces;  // per leave
};

/// Executes the plan. Throws Error (Unsupported) if evaluate() finds it not feasible.
Execution execute(const Problem& problem, const SharedPlan& plan);

/// Many samples that begin together and are served in their order where they wait for the same device or link.
struct Stream {
  std::vector<SampleRun> samples;
  std::vector<Nanoseconds> busy;  // devices, then links
  Nanoseconds end = 0;
};

/// When bytes that begin to cross a link (an index of the problem's) at a moment are there, for links that change over
/// time; a link carries one tensor at a time. None: as the problem says.
using Arrival = std::function<Nanoseconds(int link, Nanoseconds start, Bytes bytes)>;

/// `leaves[i]` is where sample i leaves, an index into the policy's leaves; sample i is there at `arrivals[i]`, rising.
Stream execute_stream(const Problem& problem, const SharedPlan& plan, const std::vector<int>& leaves,
                      const std::vector<Nanoseconds>& arrivals, const Arrival& arrival = {});

}  // namespace espalier::plan

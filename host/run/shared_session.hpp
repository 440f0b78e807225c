// Executes a plan whose parts run on several machines, frames overlapping: while a server works on one frame, the
// device here works on the next. It follows the parts it is given; every way to cut a network gives the same bits.
//
//   SharedSession session(network, ports, {{0, {0, 1, 2}}, {1, {3, 4}}}, {&device, &server}, 4);
//   std::vector<SharedFrame> answers = session.run(frames);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "run/part.hpp"
#include "run/session.hpp"
#include "run/timeline.hpp"

namespace espalier::run {

/// What became of a part on a machine.
struct PartResult {
  std::vector<Feature> outputs;  // those that were wanted
  std::exception_ptr failure;    // then there are no outputs
  std::optional<std::uint64_t> predicted_cycles, measured_cycles;
};

/// A part with the indices of those of its outputs that someone reads.
struct WantedPart {
  Part part;
  std::vector<std::size_t> outputs;
};

/// A machine that computes parts.
class PartRunner {
 public:
  virtual ~PartRunner() = default;
  virtual std::string name() const = 0;
  /// How many parts it takes at the same time, at least 1.
  virtual std::size_t most() const = 0;
  /// Before the first start(); the part outlives the runner's work. Throws Error.
  virtual void prepare(const WantedPart& part) = 0;
  /// Starts a prepared part; `done` is called exactly once, from any thread, also before start() returns.
  virtual void start(const WantedPart& part, std::vector<Feature> inputs, std::function<void(PartResult)> done) = 0;
};

/// Layers and the index of the machine that runs them.
struct PlacedPart {
  std::size_t runner = 0;
  std::vector<int> layers;  // ascending
};

struct PartTime {
  std::int64_t start = 0, end = 0;  // ns since run() was called
};

struct SharedFrame {
  std::vector<Feature> outputs;     // of the network; empty where no part makes it
  std::int64_t start = 0, end = 0;  // ns since run() was called
  std::vector<PartTime> parts;
};

class SharedSession {
 public:
  /// Parts run in their order. Prepares them. `in_flight`, at least 1, bounds the frames that are begun and not
  /// finished, and so every queue. The runners must outlive the session, the network need not. Throws Error (Input) if
  /// a part needs what no part before it makes, else as the runners do.
  SharedSession(const model::Network& network, const Ports& ports, const std::vector<PlacedPart>& parts,
                std::vector<PartRunner*> runners, std::size_t in_flight);

  /// One answer per frame, in their order; a frame has one feature per network input. Throws what a runner reports;
  /// then no frame has a result.
  std::vector<SharedFrame> run(std::span<const std::vector<Feature>> frames);

  const std::vector<WantedPart>& parts() const { return parts_; }
  /// Of the last run.
  const std::vector<TimelineEvent>& timeline() const { return timeline_; }

 private:
  class Pipeline;

  std::vector<int> inputs_, outputs_;  // of the network
  std::size_t features_ = 0;
  std::vector<WantedPart> parts_;
  std::vector<std::size_t> places_;  // runner of each part
  std::vector<PartRunner*> runners_;
  std::size_t in_flight_ = 1;
  std::vector<TimelineEvent> timeline_;
};

}  // namespace espalier::run

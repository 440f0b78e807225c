// Executes a plan of segments on the CPU and the accelerator together. Frames overlap: while the accelerator works on
// one, the CPU works on others. Every plan of a network gives the same bits.
//
//   run::MixedSession session(&device, plan, ports, {.device = "functional"});
//   std::vector<run::RunReport> reports = session.run(frames);
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "cpu/executor.hpp"
#include "plan/placement/place.hpp"
#include "run/session.hpp"
#include "run/timeline.hpp"

namespace espalier::run {

struct MixedSettings {
  Settings device;
  std::size_t frames_in_flight = 4;  // at least 1: frames that are begun and not finished
  /// Called when a frame is finished, from one thread at a time, with the number of finished frames and of all.
  std::function<void(std::size_t, std::size_t)> progress;
};

class MixedSession {
 public:
  /// Puts all programs on the device, which may be null if the plan needs none. Device and plan must outlive the
  /// session. Throws as Session does.
  MixedSession(driver::Device* device, const plan::MixedPlan& plan, Ports ports, MixedSettings settings);
  ~MixedSession();

  /// One report per frame, in their order; a frame has one vector of values per network input. Throws Error (Input) for
  /// values that do not fit, Error (Device, Timeout) from the device; then no frame has a result.
  std::vector<RunReport> run(std::span<const std::vector<std::vector<float>>> frames);

  /// The same between the edges: int8 features in, one per network input; per frame one feature per network output.
  std::vector<FeatureRun> run_features(std::span<const std::vector<Feature>> frames);

  /// Of the last run.
  const std::vector<TimelineEvent>& timeline() const { return timeline_; }

 private:
  struct Program;
  struct Frame;
  class Pipeline;

  void execute(std::size_t segment, Frame& frame, std::size_t index, TimelineEvent& event);
  FeatureRun finish(Frame& frame) const;

  const plan::MixedPlan& plan_;
  Ports ports_;
  MixedSettings settings_;
  std::vector<std::unique_ptr<Program>> programs_;             // per segment on the accelerator
  std::vector<std::unique_ptr<cpu::Executor>> executors_;      // per segment on the CPU
  std::vector<std::vector<std::size_t>> needs_;                // per segment: those that it reads from
  std::vector<TimelineEvent> timeline_;
};

}  // namespace espalier::run

#include "run/mixed_session.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "cpu/choice/choose_executor.hpp"
#include "esp_error.hpp"

namespace espalier::run {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

LayerRow host_row(const plan::LayerPlacement& placement, bool clock) {
  LayerRow row;
  row.name = placement.layer;
  row.op = placement.op;
  row.shape = placement.shape;
  row.device = plan::to_string(plan::Place::Host);
  row.mode = "cpu";
  row.macs = placement.macs;
  row.nonzero_macs = placement.nonzero_macs;
  // No cycles of the accelerator, so that those of the others still sum to the totals.
  if (clock) row.measured_cycles = 0;
  return row;
}

std::string segment_name(const plan::MixedPlan& plan, std::size_t index) {
  const plan::Segment& segment = plan.segments[index];
  const std::string& first = plan.layers[at(segment.layers.front())].layer;
  if (segment.layers.size() == 1) return first;
  return first + " .. " + plan.layers[at(segment.layers.back())].layer;
}

}  // namespace

/// A program that stays on the device.
struct MixedSession::Program {
  Executable executable;
  Session session;
  Program(driver::Device& device, Executable owned, const Settings& settings)
      : executable(std::move(owned)), session(device, executable, settings) {}
};

struct MixedSession::Frame {
  std::vector<Feature> features;        // per feature of the network
  std::vector<RunReport> reports;       // per segment on the accelerator
  std::vector<bool> started, finished;  // per segment
};

/// Two workers, one for the accelerator and one for the CPU, take the work of the earliest frame that is ready. New
/// frames begin when fewer than the bound are in flight.
class MixedSession::Pipeline {
 public:
  Pipeline(MixedSession& session, std::span<const std::vector<Feature>> inputs) : session_(session), inputs_(inputs) {
    frames_.resize(inputs.size());
    results_.resize(inputs.size());
  }

  std::vector<FeatureRun> run() {
    start_ = now();
    {
      std::jthread accelerator([&] { work(plan::Place::Accelerator); });
      work(plan::Place::Host);
    }
    if (failure_) std::rethrow_exception(failure_);
    return std::move(results_);
  }

 private:
  struct Task {
    std::size_t frame, segment;
  };

  void begin_frames() {
    while (begun_ < frames_.size() && begun_ - done_ < session_.settings_.frames_in_flight) {
      Frame& frame = frames_[begun_];
      const std::size_t segments = session_.plan_.segments.size();
      frame.features.resize(session_.plan_.network.features.size());
      for (std::size_t i = 0; i < inputs_[begun_].size(); ++i)
        frame.features[at(session_.plan_.network.inputs[i])] = inputs_[begun_][i];
      frame.reports.resize(segments);
      frame.started.assign(segments, false);
      frame.finished.assign(segments, false);
      ++begun_;
    }
  }

  std::optional<Task> next(plan::Place place) {
    begin_frames();
    for (std::size_t f = 0; f < begun_; ++f) {
      const Frame& frame = frames_[f];
      for (std::size_t s = 0; s < frame.started.size(); ++s) {
        if (frame.started[s] || session_.plan_.segments[s].place != place) continue;
        const std::vector<std::size_t>& needs = session_.needs_[s];
        if (std::all_of(needs.begin(), needs.end(), [&](std::size_t need) { return frame.finished[need]; }))
          return Task{f, s};
      }
    }
    return std::nullopt;
  }

  void work(plan::Place place) {
    std::unique_lock lock(mutex_);
    for (;;) {
      std::optional<Task> task;
      changed_.wait(lock, [&] { return failure_ || done_ == frames_.size() || (task = next(place)); });
      if (failure_ || !task) return;
      frames_[task->frame].started[task->segment] = true;
      changed_.notify_all();
      lock.unlock();
      TimelineEvent event;
      std::exception_ptr failure;
      try {
        event.start = now() - start_;
        session_.execute(task->segment, frames_[task->frame], task->frame, event);
        event.end = now() - start_;
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      finish(*task, std::move(event), failure);
      changed_.notify_all();
    }
  }

  void finish(const Task& task, TimelineEvent event, const std::exception_ptr& failure) {
    if (failure) {
      if (!failure_) failure_ = failure;
      return;
    }
    session_.timeline_.push_back(std::move(event));
    Frame& frame = frames_[task.frame];
    frame.finished[task.segment] = true;
    if (!std::all_of(frame.finished.begin(), frame.finished.end(), [](bool finished) { return finished; })) return;
    results_[task.frame] = session_.finish(frame);
    frame.features.clear();
    ++done_;
    if (session_.settings_.progress) session_.settings_.progress(done_, frames_.size());
  }

  MixedSession& session_;
  std::span<const std::vector<Feature>> inputs_;
  std::vector<Frame> frames_;
  std::vector<FeatureRun> results_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::exception_ptr failure_;
  std::size_t begun_ = 0, done_ = 0;
  std::int64_t start_ = 0;
};

MixedSession::MixedSession(driver::Device* device, const plan::MixedPlan& plan, Ports ports, MixedSettings settings)
    : plan_(plan), ports_(std::move(ports)), settings_(std::move(settings)) {
  settings_.frames_in_flight = std::max<std::size_t>(1, settings_.frames_in_flight);
  std::vector<std::size_t> maker(plan.network.features.size(), plan.segments.size());
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    const plan::Segment& segment = plan.segments[s];
    programs_.emplace_back();
    executors_.emplace_back();
    std::vector<std::size_t>& needs = needs_.emplace_back();
    for (const int input : segment.piece.inputs)
      if (maker[at(input)] < s) needs.push_back(maker[at(input)]);
    for (const int output : segment.piece.outputs) maker[at(output)] = s;
    if (segment.place == plan::Place::Host) {
      executors_.back() = cpu::choose_executor(segment.piece.network);
      continue;
    }
    if (device == nullptr)
      throw Error(ErrorCode::Usage, "the plan needs an accelerator", plan.name, {}, "open a device");
    programs_.back() =
        std::make_unique<Program>(*device, Executable{plan.name, *segment.compiled, {}}, settings_.device);
  }
}

MixedSession::~MixedSession() = default;

void MixedSession::execute(std::size_t index, Frame& frame, std::size_t number, TimelineEvent& event) {
  const plan::Segment& segment = plan_.segments[index];
  event.name = segment_name(plan_, index);
  event.frame = number;
  std::vector<Feature> inputs;
  for (const int input : segment.piece.inputs) inputs.push_back(frame.features[at(input)]);
  const std::int64_t used = plan::thread_time();
  if (segment.place == plan::Place::Host) {
    event.worker = plan::to_string(plan::Place::Host);
    std::vector<Feature> made = executors_[index]->run(inputs);
    event.cpu_time = plan::thread_time() - used;
    for (std::size_t i = 0; i < segment.piece.outputs.size(); ++i)
      frame.features[at(segment.piece.outputs[i])] = std::move(made[i]);
    return;
  }
  FeatureRun run = programs_[index]->session.run_features(inputs);
  event.cpu_time = plan::thread_time() - used;
  for (std::size_t i = 0; i < segment.piece.outputs.size(); ++i)
    frame.features[at(segment.piece.outputs[i])] = std::move(run.features[i]);
  event.worker = settings_.device.device;
  event.predicted_cycles = run.report.totals.predicted_cycles;
  event.measured_cycles = run.report.totals.measured_cycles;
  event.conversion_time = run.conversion_time;
  frame.reports[index] = std::move(run.report);
}

FeatureRun MixedSession::finish(Frame& frame) const {
  FeatureRun result;
  RunReport& report = result.report;
  report.model = plan_.name;
  report.device = settings_.device.device;
  report.configuration = plan_.configuration;
  bool clock = true;
  for (std::size_t s = 0; s < plan_.segments.size(); ++s)
    if (plan_.segments[s].place == plan::Place::Accelerator)
      clock = clock && frame.reports[s].totals.measured_cycles.has_value();
  for (std::size_t s = 0; s < plan_.segments.size(); ++s) {
    const plan::Segment& segment = plan_.segments[s];
    if (segment.place == plan::Place::Host) {
      report.cpu_executor = executors_[s]->name();
      for (const int layer : segment.layers) report.layers.push_back(host_row(plan_.layers[at(layer)], clock));
    } else {
      for (LayerRow& row : frame.reports[s].layers) report.layers.push_back(std::move(row));
    }
  }
  report.totals = sum(report.layers);
  for (const int output : plan_.network.outputs) result.features.push_back(frame.features[at(output)]);
  return result;
}

std::vector<FeatureRun> MixedSession::run_features(std::span<const std::vector<Feature>> frames) {
  timeline_.clear();
  for (const std::vector<Feature>& frame : frames) cpu::place_inputs(plan_.network, frame);
  return Pipeline(*this, frames).run();
}

std::vector<RunReport> MixedSession::run(std::span<const std::vector<std::vector<float>>> frames) {
  std::vector<std::vector<Feature>> features;
  for (const std::vector<std::vector<float>>& frame : frames)
    features.push_back(quantised_inputs(ports_, frame, plan_.name));
  std::vector<RunReport> reports;
  for (FeatureRun& run : run_features(features)) {
    for (std::size_t i = 0; i < ports_.outputs.size(); ++i)
      run.report.outputs.push_back(present(ports_.outputs[i], run.features[i]));
    reports.push_back(std::move(run.report));
  }
  return reports;
}

}  // namespace espalier::run

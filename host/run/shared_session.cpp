#include "run/shared_session.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "esp_error.hpp"

namespace espalier::run {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool holds(const std::vector<int>& list, int value) { return std::find(list.begin(), list.end(), value) != list.end(); }

}  // namespace

/// One loop starts parts and takes their results; the runners have the threads. A machine gets the earliest frame that
/// waits for it.
class SharedSession::Pipeline {
 public:
  Pipeline(SharedSession& session, std::span<const std::vector<Feature>> inputs)
      : session_(session), inputs_(inputs), busy_(session.runners_.size(), 0), results_(inputs.size()) {
    frames_.resize(inputs.size());
  }

  std::vector<SharedFrame> run() {
    start_ = now();
    while (done_ < frames_.size()) {
      if (!failure_) start_what_can();
      if (running_ == 0 && failure_) std::rethrow_exception(failure_);
      take(next_result());
    }
    return std::move(results_);
  }

 private:
  struct Frame {
    std::vector<Feature> features;
    std::size_t part = 0;  // the next one, or the one that runs
    bool runs = false;
  };
  struct Ended {
    std::size_t frame = 0;
    PartResult result;
    std::int64_t end = 0;
  };

  void begin_frames() {
    for (; begun_ < frames_.size() && begun_ - done_ < session_.in_flight_; ++begun_) {
      Frame& frame = frames_[begun_];
      frame.features.resize(session_.features_);
      for (std::size_t i = 0; i < session_.inputs_.size(); ++i)
        frame.features[at(session_.inputs_[i])] = inputs_[begun_].at(i);
      results_[begun_].start = now() - start_;
      results_[begun_].parts.resize(session_.parts_.size());
    }
  }

  void start_what_can() {
    begin_frames();
    for (std::size_t f = 0; f < begun_; ++f) {
      Frame& frame = frames_[f];
      if (frame.runs || frame.part == session_.parts_.size()) continue;
      const std::size_t place = session_.places_[frame.part];
      PartRunner& runner = *session_.runners_[place];
      if (busy_[place] >= std::max<std::size_t>(1, runner.most())) continue;
      ++busy_[place];
      ++running_;
      frame.runs = true;
      const WantedPart& part = session_.parts_[frame.part];
      std::vector<Feature> inputs;
      for (const int input : part.part.inputs) inputs.push_back(frame.features[at(input)]);
      results_[f].parts[frame.part].start = now() - start_;
      runner.start(part, std::move(inputs), [this, f](PartResult result) { post({f, std::move(result), now()}); });
    }
  }

  void post(Ended ended) {
    const std::scoped_lock lock(mutex_);
    ended_.push_back(std::move(ended));
    // With the lock: the loop may end with this result, and this object with it.
    changed_.notify_all();
  }

  Ended next_result() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ended_.empty(); });
    Ended ended = std::move(ended_.front());
    ended_.pop_front();
    return ended;
  }

  void take(Ended ended) {
    Frame& frame = frames_[ended.frame];
    const WantedPart& part = session_.parts_[frame.part];
    --busy_[session_.places_[frame.part]];
    --running_;
    frame.runs = false;
    if (ended.result.failure) {
      if (!failure_) failure_ = ended.result.failure;
      if (running_ == 0) std::rethrow_exception(failure_);
      return;
    }
    PartTime& time = results_[ended.frame].parts[frame.part];
    time.end = ended.end - start_;
    session_.timeline_.push_back({part_text(part.part.layers), session_.runners_[session_.places_[frame.part]]->name(),
                                  ended.frame, time.start, time.end, 0, 0, ended.result.predicted_cycles,
                                  ended.result.measured_cycles});
    for (std::size_t i = 0; i < part.outputs.size(); ++i)
      frame.features[at(part.part.outputs[part.outputs[i]])] = std::move(ended.result.outputs.at(i));
    if (++frame.part < session_.parts_.size()) return;
    SharedFrame& result = results_[ended.frame];
    for (const int output : session_.outputs_) result.outputs.push_back(frame.features[at(output)]);
    result.end = time.end;
    frame.features.clear();
    ++done_;
  }

  SharedSession& session_;
  std::span<const std::vector<Feature>> inputs_;
  std::vector<Frame> frames_;
  std::vector<std::size_t> busy_;  // per runner
  std::vector<SharedFrame> results_;
  std::size_t begun_ = 0, done_ = 0, running_ = 0;
  std::int64_t start_ = 0;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Ended> ended_;
};

SharedSession::SharedSession(const model::Network& network, const Ports& ports, const std::vector<PlacedPart>& parts,
                             std::vector<PartRunner*> runners, std::size_t in_flight)
    : inputs_(network.inputs),
      outputs_(network.outputs),
      features_(network.features.size()),
      runners_(std::move(runners)),
      in_flight_(std::max<std::size_t>(1, in_flight)) {
  if (parts.empty()) throw Error(ErrorCode::Input, "the plan has no part", network.name, {}, "plan again");
  std::vector<bool> there(features_, false);
  for (const int input : network.inputs) there[at(input)] = true;
  for (const PlacedPart& placed : parts) {
    parts_.push_back({make_part(network, ports, placed.layers, PartEdge::Features), {}});
    places_.push_back(placed.runner);
    for (const int input : parts_.back().part.inputs)
      if (!there[at(input)])
        throw Error(ErrorCode::Input, "a part needs what no part before it makes", part_text(placed.layers),
                    network.features[at(input)].name, "plan again");
    for (const int output : parts_.back().part.outputs) there[at(output)] = true;
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    WantedPart& part = parts_[p];
    for (std::size_t i = 0; i < part.part.outputs.size(); ++i) {
      const int feature = part.part.outputs[i];
      bool wanted = holds(network.outputs, feature);
      for (std::size_t later = p + 1; later < parts_.size() && !wanted; ++later)
        wanted = holds(parts_[later].part.inputs, feature);
      if (wanted) part.outputs.push_back(i);
    }
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) runners_.at(places_[p])->prepare(parts_[p]);
}

std::vector<SharedFrame> SharedSession::run(std::span<const std::vector<Feature>> frames) {
  timeline_.clear();
  return Pipeline(*this, frames).run();
}

}  // namespace espalier::run

// The memory behind cycle counts, as timing only: who may move which beat in which cycle. Data is the owner's business.
//
// All masters together move at most one read beat and one write beat per 64 / bytes cycles. Address requests are served
// in order of acceptance, one read and one write per cycle, by fixed priority among masters. The first read beat comes
// `latency` cycles after its request was accepted or when the bus is free; a write response `latency` cycles after the
// last beat. At most MemoryOutstanding bursts wait per direction. There is no refresh.
//
// Cores that share the memory take turns: of those that request, the one that has waited longest since it was served
// comes first; a write burst is not interrupted.
//
// What a DRAM loses can be told in three numbers: reads and writes may share one data bus, on which they alternate
// while both want it; and after every `pause_every` beats that are moved without the memory having been idle in
// between, no beat moves for `pause` cycles.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <span>

#include "esp_abi.hpp"

namespace espalier::abi {

/// The memory of the contract. bytes: per cycle and direction, 64 / 2^n.
struct MemoryParameters {
  unsigned bytes = BeatBytes;
  unsigned latency = MemoryLatency;
  unsigned pause_every = 0;  // beats; 0: it never pauses
  unsigned pause = 0;        // cycles
  bool one_bus = false;      // for both directions

  bool operator==(const MemoryParameters&) const = default;
};

/// Pins of the three masters that the memory reads, in one cycle.
struct MemoryRequest {
  std::array<bool, Masters> ar_valid{};
  std::array<std::uint8_t, Masters> ar_len{};  // beats - 1
  std::array<std::uint64_t, Masters> ar_address{};
  std::uint64_t aw_address = 0;
  std::uint8_t aw_len = 0;  // beats - 1
  bool aw_valid = false;
  bool w_valid = false;
  bool w_last = false;
};

/// Pins that the memory drives in the same cycle.
struct MemoryResponse {
  std::array<bool, Masters> ar_ready{};
  std::array<bool, Masters> r_valid{};
  bool r_last = false;
  bool aw_ready = false;
  bool w_ready = false;
  bool b_valid = false;
};

/// Anything that answers requests cycle by cycle.
class MemoryTiming {
 public:
  virtual ~MemoryTiming() = default;
  /// One cycle. A master takes every read beat and response at once, so these have no ready.
  virtual MemoryResponse clock(const MemoryRequest& request) = 0;
};

/// Anything that answers the requests of several cores cycle by cycle.
class SharedMemoryTiming {
 public:
  virtual ~SharedMemoryTiming() = default;
  /// One cycle: the pins of every core, and what each is answered.
  virtual void clock(std::span<const MemoryRequest> requests, std::span<MemoryResponse> responses) = 0;
};

/// Probabilities with which a memory holds back in a cycle, each in [0, 1).
struct MemoryStalls {
  double address = 0;   // read and write addresses
  double read = 0;      // read beats
  double write = 0;     // write beats
  double response = 0;  // write responses
  std::uint64_t seed = 1;

  bool any() const { return address > 0 || read > 0 || write > 0 || response > 0; }
};

/// The memory of the contract, shared by the masters of several cores, optionally stalling at random.
class SharedMemory final : public SharedMemoryTiming {
 public:
  SharedMemory(const MemoryParameters& parameters, unsigned cores, const MemoryStalls& stalls = {})
      : cores_(cores),
        interval_(BeatBytes / parameters.bytes),
        parameters_(parameters),
        stalls_(stalls),
        engine_(stalls.seed) {}

  void clock(std::span<const MemoryRequest> requests, std::span<MemoryResponse> responses) override {
    for (MemoryResponse& response : responses) response = {};
    if (parameters_.pause_every != 0 && idle(requests)) beats_ = 0;
    const std::size_t waiting = reads_.size();
    const bool read = !reads_.empty() && cycle_ >= reads_.front().ready && cycle_ >= read_free_ && cycle_ >= rest_end_;
    const bool yields = parameters_.one_bus && read_last_ && wants_to_write(requests);
    if (read && !yields && !stalls(stalls_.read)) deliver(responses);
    if (waiting < MemoryOutstanding && !stalls(stalls_.address)) accept_read(requests, responses);
    write(requests, responses);
    ++cycle_;
  }

 private:
  struct Burst {
    std::uint64_t ready;
    unsigned beats;
    unsigned core;
    unsigned master;
  };
  struct Answer {
    std::uint64_t ready;
    unsigned core;
  };

  bool stalls(double probability) {
    return stalls_.any() && std::uniform_real_distribution<double>(0.0, 1.0)(engine_) < probability;
  }

  void deliver(std::span<MemoryResponse> responses) {
    Burst& burst = reads_.front();
    responses[burst.core].r_valid[burst.master] = true;
    responses[burst.core].r_last = --burst.beats == 0;
    read_free_ = cycle_ + interval_;
    if (parameters_.one_bus) write_free_ = read_free_;
    read_last_ = true;
    count_beat();
    if (burst.beats == 0) reads_.pop_front();
  }

  void accept_read(std::span<const MemoryRequest> requests, std::span<MemoryResponse> responses) {
    for (unsigned i = 0; i < cores_; ++i) {
      const unsigned core = (read_turn_ + i) % cores_;
      for (unsigned m = 0; m < Masters; ++m) {
        if (!requests[core].ar_valid[m]) continue;
        responses[core].ar_ready[m] = true;
        reads_.push_back({cycle_ + parameters_.latency, requests[core].ar_len[m] + 1U, core, m});
        read_turn_ = (core + 1) % cores_;
        return;
      }
    }
  }

  /// A burst waits from its address to its response.
  void write(std::span<const MemoryRequest> requests, std::span<MemoryResponse> responses) {
    const bool answers = !answers_.empty() && cycle_ >= answers_.front().ready && !stalls(stalls_.response);
    const bool address = writes_ < MemoryOutstanding && !stalls(stalls_.address);
    const bool data = cycle_ >= write_free_ && cycle_ >= rest_end_ && !stalls(stalls_.write);
    if (answers) {
      responses[answers_.front().core].b_valid = true;
      answers_.pop_front();
      --writes_;
    }
    const unsigned addressed = first(requests, address_turn_, &MemoryRequest::aw_valid);
    responses[addressed].aw_ready = address;
    if (address && requests[addressed].aw_valid) {
      ++writes_;
      address_turn_ = (addressed + 1) % cores_;
    }
    const unsigned writer = in_burst_ ? data_turn_ : first(requests, data_turn_, &MemoryRequest::w_valid);
    responses[writer].w_ready = data;
    if (!data || !requests[writer].w_valid) return;
    write_free_ = cycle_ + interval_;
    if (parameters_.one_bus) read_free_ = write_free_;
    read_last_ = false;
    count_beat();
    in_burst_ = !requests[writer].w_last;
    data_turn_ = in_burst_ ? writer : (writer + 1) % cores_;
    if (!in_burst_) answers_.push_back({cycle_ + parameters_.latency, writer});
  }

  bool wants_to_write(std::span<const MemoryRequest> requests) const {
    return std::any_of(requests.begin(), requests.end(), [](const MemoryRequest& request) { return request.w_valid; });
  }

  bool idle(std::span<const MemoryRequest> requests) const {
    return reads_.empty() && writes_ == 0 && cycle_ >= rest_end_ &&
           std::none_of(requests.begin(), requests.end(), [](const MemoryRequest& request) {
             return request.aw_valid || request.ar_valid != decltype(request.ar_valid){};
           });
  }

  void count_beat() {
    if (parameters_.pause_every == 0 || ++beats_ < parameters_.pause_every) return;
    beats_ = 0;
    rest_end_ = cycle_ + 1 + parameters_.pause;
  }

  /// The core whose turn it is among those that request; if none does, the next.
  unsigned first(std::span<const MemoryRequest> requests, unsigned turn, bool MemoryRequest::*valid) const {
    for (unsigned i = 0; i < cores_; ++i) {
      const unsigned core = (turn + i) % cores_;
      if (requests[core].*valid) return core;
    }
    return turn;
  }

  unsigned cores_;
  unsigned interval_;
  MemoryParameters parameters_;
  MemoryStalls stalls_;
  std::mt19937_64 engine_;
  std::uint64_t cycle_ = 0;
  std::uint64_t read_free_ = 0;
  std::uint64_t write_free_ = 0;
  std::uint64_t rest_end_ = 0;
  std::uint64_t beats_ = 0;  // since the last rest or idle cycle
  bool read_last_ = false;   // moved on the bus
  unsigned read_turn_ = 0, address_turn_ = 0, data_turn_ = 0;
  bool in_burst_ = false;
  unsigned writes_ = 0;
  std::deque<Burst> reads_;
  std::deque<Answer> answers_;
};

/// The memory of the contract with one core.
class FixedLatencyMemory : public MemoryTiming {
 public:
  explicit FixedLatencyMemory(const MemoryParameters& parameters = {}, const MemoryStalls& stalls = {})
      : memory_(parameters, 1, stalls) {}

  MemoryResponse clock(const MemoryRequest& request) override {
    MemoryResponse response;
    memory_.clock({&request, 1}, {&response, 1});
    return response;
  }

 private:
  SharedMemory memory_;
};

}  // namespace espalier::abi

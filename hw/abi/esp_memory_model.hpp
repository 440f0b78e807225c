// The memory behind cycle counts, as timing only: who may move which beat in which cycle. Data is the owner's business.
//
// All masters together move at most one read beat and one write beat per 64 / bytes cycles. Address requests are served
// in order of acceptance, one read and one write per cycle, by fixed priority among masters. The first read beat comes
// `latency` cycles after its request was accepted or when the bus is free; a write response `latency` cycles after the
// last beat. At most MemoryOutstanding bursts wait per direction. There is no refresh.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <random>

#include "esp_abi.hpp"

namespace espalier::abi {

/// The memory of the contract. bytes: per cycle and direction, 64 / 2^n.
struct MemoryParameters {
  unsigned bytes = BeatBytes;
  unsigned latency = MemoryLatency;
};

/// Pins of the three masters that the memory reads, in one cycle.
struct MemoryRequest {
  std::array<bool, Masters> ar_valid{};
  std::array<std::uint8_t, Masters> ar_len{};  // beats - 1
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

/// Probabilities with which a memory holds back in a cycle, each in [0, 1).
struct MemoryStalls {
  double address = 0;   // read and write addresses
  double read = 0;      // read beats
  double write = 0;     // write beats
  double response = 0;  // write responses
  std::uint64_t seed = 1;

  bool any() const { return address > 0 || read > 0 || write > 0 || response > 0; }
};

/// The memory of the contract, optionally stalling at random.
class FixedLatencyMemory : public MemoryTiming {
 public:
  explicit FixedLatencyMemory(const MemoryParameters& parameters = {}, const MemoryStalls& stalls = {})
      : interval_(BeatBytes / parameters.bytes), latency_(parameters.latency), stalls_(stalls), engine_(stalls.seed) {}

  MemoryResponse clock(const MemoryRequest& request) override {
    MemoryResponse response;
    const bool random = stalls_.any();
    // Reads: deliver, then accept.
    const std::size_t waiting = reads_.size();
    if (!reads_.empty() && cycle_ >= reads_.front().ready && cycle_ >= read_free_ &&
        !(random && chance(stalls_.read))) {
      Burst& burst = reads_.front();
      response.r_valid[burst.master] = true;
      response.r_last = --burst.beats == 0;
      read_free_ = cycle_ + interval_;
      if (response.r_last) reads_.pop_front();
    }
    if (waiting < MemoryOutstanding && !(random && chance(stalls_.address))) {
      for (unsigned m = 0; m < Masters; ++m) {
        if (!request.ar_valid[m]) continue;
        response.ar_ready[m] = true;
        reads_.push_back({cycle_ + latency_, request.ar_len[m] + 1U, m});
        break;
      }
    }
    // Writes: a burst waits from its address to its response.
    response.b_valid = !answers_.empty() && cycle_ >= answers_.front() && !(random && chance(stalls_.response));
    response.aw_ready = writes_ < MemoryOutstanding && !(random && chance(stalls_.address));
    response.w_ready = cycle_ >= write_free_ && !(random && chance(stalls_.write));
    if (response.b_valid) {
      answers_.pop_front();
      --writes_;
    }
    if (response.aw_ready && request.aw_valid) ++writes_;
    if (response.w_ready && request.w_valid) {
      write_free_ = cycle_ + interval_;
      if (request.w_last) answers_.push_back(cycle_ + latency_);
    }
    ++cycle_;
    return response;
  }

 private:
  struct Burst {
    std::uint64_t ready;
    unsigned beats;
    unsigned master;
  };

  bool chance(double probability) { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_) < probability; }

  unsigned interval_;
  unsigned latency_;
  MemoryStalls stalls_;
  std::mt19937_64 engine_;
  std::uint64_t cycle_ = 0;
  std::uint64_t read_free_ = 0;
  std::uint64_t write_free_ = 0;
  unsigned writes_ = 0;
  std::deque<Burst> reads_;
  std::deque<std::uint64_t> answers_;
};

}  // namespace espalier::abi

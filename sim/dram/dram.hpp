// A DRAM behind the ports of the accelerator: what its channels do, seen from the machine's clock.
//
//   dram::Dram memory(dram::find("ddr4-2400"), 300, 1);  // one core at 300 MHz
//   memory.clock(requests, responses);                   // one cycle of the machine
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "dram/channel.hpp"
#include "dram/parameters.hpp"
#include "esp_memory_model.hpp"

namespace espalier::dram {

/// Every core has a port of one read beat and one write beat per cycle. One read and one write address are accepted per
/// cycle, cores in turn, masters by priority, if the channel has room. Each master gets its data in the order of its
/// requests. A write is answered when the controller has all of it; a later read of the same place waits until it is
/// written. Time begins with the first request, so that equal runs take equal time.
class Dram final : public abi::SharedMemoryTiming {
 public:
  /// Throws Error(Usage) for no cores or a clock of 0 MHz.
  Dram(const Parameters& parameters, unsigned mhz, unsigned cores);

  void clock(std::span<const abi::MemoryRequest> requests, std::span<abi::MemoryResponse> responses) override;

  /// Power-on state.
  void restart();

  const Parameters& parameters() const { return *parameters_; }
  /// Of all channels.
  ChannelCounters counters() const;

 private:
  struct Read {
    std::uint64_t id = 0, address = 0;
    std::uint64_t arrival = 0;  // at the channel, in clocks of the DRAM
    unsigned beats = 0, delivered = 0, known = 0;
    bool queued = false;
    std::array<std::uint64_t, abi::BurstBeats> ready{};  // clock from which a beat can be delivered
  };
  struct Write {
    std::uint64_t address = 0;
    unsigned beats = 0, taken = 0;
    std::uint64_t answer = 0;  // clock of its response
    bool queued = false;
  };
  struct Core {
    std::array<std::deque<Read>, abi::Masters> reads;
    std::deque<Write> writes;  // until answered
  };

  unsigned channel_of(std::uint64_t address) const {
    return static_cast<unsigned>(address / Interleave % parameters_->channels);
  }
  std::uint64_t within_channel(std::uint64_t address) const {
    return address / Interleave / parameters_->channels * Interleave + address % Interleave;
  }
  bool any(std::span<const abi::MemoryRequest> requests) const;
  void run_channels(std::uint64_t until);
  void queue_bursts();
  void note(const Channel::Beat& beat);
  void deliver(Core& core, abi::MemoryResponse& response);
  void accept_read(std::span<const abi::MemoryRequest> requests, std::span<abi::MemoryResponse> responses);
  void accept_write(std::span<const abi::MemoryRequest> requests, std::span<abi::MemoryResponse> responses);
  void take_data(Core& core, const abi::MemoryRequest& request, abi::MemoryResponse& response);

  static constexpr std::uint64_t Interleave = 1024;  // bytes; no burst crosses this

  const Parameters* parameters_;
  unsigned mhz_;
  std::uint64_t half_latency_;  // of the controller, in clocks of the DRAM
  std::vector<Channel> channels_;
  std::vector<Core> cores_;
  bool started_ = false;
  std::uint64_t cycle_ = 0;  // of the machine
  std::uint64_t clock_ = 0;  // of the DRAM
  std::uint64_t next_id_ = 0;
  unsigned read_turn_ = 0, write_turn_ = 0;
  std::vector<unsigned> waiting_reads_, waiting_writes_;  // per channel: accepted, not answered or not in its queue
};

}  // namespace espalier::dram

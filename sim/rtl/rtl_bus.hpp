// The Verilated accelerator with the memory of the contract, as a Bus. Cycle-accurate.
//
//   espalier::rtl::RtlBus bus(espalier::abi::Array16x16, {.memory = {.latency = 40}});
//   espalier::driver::Device device(bus);
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "esp_abi.hpp"
#include "esp_memory_model.hpp"
#include "espalier/driver/bus.hpp"
#include "functional/device_memory.hpp"
#include "rtl/verilated_machine.hpp"

namespace espalier::rtl {

struct RtlOptions {
  abi::MemoryParameters memory;
  abi::MemoryStalls stalls;  // a memory that stalls at random
  std::string waves;         // FST file of the whole simulation; empty: none
  bool record = false;       // keep the memory's answers of the last run, for replay
  std::uint64_t seed = 1;    // of undefined start values
};

class RtlBus : public driver::Bus {
 public:
  /// Throws espalier::Error (Usage) for a size that was not built.
  explicit RtlBus(const abi::Configuration& configuration, const RtlOptions& options = {});
  ~RtlBus() override;

  std::string name() const override;
  std::uint32_t read_register(std::uint32_t offset) override;
  void write_register(std::uint32_t offset, std::uint32_t value) override;
  std::uint64_t allocate(std::size_t bytes) override;
  void release(std::uint64_t address) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) override;
  bool wait_done(std::chrono::milliseconds limit) override;
  void reset() override;

  /// Advances the clock.
  void clock(std::uint64_t cycles);
  /// Clocks until the machine is idle, at most `cycles`; true if it is.
  bool clock_until_idle(std::uint64_t cycles);
  std::uint64_t cycles() const { return cycles_; }
  bool interrupt() const { return machine_->interrupt(); }

  const abi::Configuration& configuration() const { return configuration_; }

  // For machines that run together, see RtlCores: a start that takes its cycles later, and single cycles whose memory
  // answers are given.
  void begin_start();
  bool register_busy() const;
  bool idle() const;
  abi::MemoryRequest request() const;
  void advance(const abi::MemoryResponse& response);

  /// Makes the memory misbehave for the machine until cleared with nullopt.
  void set_memory_fault(std::optional<functional::MemoryFault> fault) { memory_.set_fault(fault); }

  /// What the memory answered in every cycle of the last run, from its first cycle (options.record).
  const std::vector<abi::MemoryResponse>& recording() const { return recording_; }

 private:
  struct Stream {  // an accepted burst
    std::uint64_t address;
    unsigned beats;
    std::optional<functional::MemoryFaultKind> fault;
  };

  void cycle();
  void accept_read(unsigned master);
  void accept_write();
  const std::uint8_t* next_read_beat(unsigned master, bool& error);
  void take_write_beat(bool last);

  abi::Configuration configuration_;
  RtlOptions options_;
  std::unique_ptr<VerilatedMachine> machine_;
  std::unique_ptr<abi::MemoryTiming> timing_;
  functional::DeviceMemory memory_;
  std::array<std::deque<Stream>, abi::Masters> reads_;
  std::deque<Stream> writes_;
  std::deque<bool> write_errors_;  // per burst whose response is due
  std::vector<abi::MemoryResponse> recording_;
  std::uint64_t cycles_ = 0;
  bool silent_ = false;  // the memory has stopped answering
  std::array<std::uint8_t, abi::BeatBytes> zero_beat_{};
};

}  // namespace espalier::rtl

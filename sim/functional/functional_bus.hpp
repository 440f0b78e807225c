// The accelerator without a clock, as a Bus: the HLS kernels behind registers and device memory.
//
//   espalier::functional::FunctionalBus bus(espalier::abi::Array16x16);
//   espalier::driver::Device device(bus);
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "esp_abi.hpp"
#include "espalier/driver/bus.hpp"
#include "functional/device_memory.hpp"
#include "functional/kernel_core.hpp"
#include "functional/list_runner.hpp"
#include "functional/register_file.hpp"

namespace espalier::functional {

/// Cycle counters and marks read 0. A run advances while the bus waits for it, and a little with each read of
/// RegControl, so that a program which polls sees it end.
class FunctionalBus : public driver::Bus {
 public:
  /// Throws Error Usage for a size that is not one of the contract's arrays.
  explicit FunctionalBus(const abi::Configuration& configuration) : FunctionalBus(make_kernel_core(configuration)) {}
  explicit FunctionalBus(std::unique_ptr<KernelCore> core);

  std::string name() const override;
  std::uint32_t read_register(std::uint32_t offset) override;
  void write_register(std::uint32_t offset, std::uint32_t value) override;
  std::uint64_t allocate(std::size_t bytes) override;
  void release(std::uint64_t address) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) override;
  /// Returns false without waiting if the run can never end.
  bool wait_done(std::chrono::milliseconds limit) override;
  void reset() override;

  /// Executes up to `commands` commands; false once nothing is left to do.
  bool advance(unsigned commands);

  /// Whether a run has started and not ended.
  bool busy() const;

  const abi::Configuration& configuration() const { return runner_.configuration(); }

  /// Makes the memory misbehave for the machine until cleared with nullopt.
  void set_memory_fault(std::optional<MemoryFault> fault) { memory_.set_fault(fault); }

 private:
  std::uint32_t read_result(std::uint32_t offset) const;

  DeviceMemory memory_;
  ListRunner runner_;
  RegisterFile registers_;
};

}  // namespace espalier::functional

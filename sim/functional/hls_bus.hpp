// The HLS kernels as a Bus: the core of hls/kernels, compiled for the host.
//
//   espalier::functional::HlsBus bus(espalier::abi::Array16x16);
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
#include "functional/list_runner.hpp"
#include "functional/register_file.hpp"

namespace espalier::functional {

/// A core of one size with its state.
class KernelCore {
 public:
  virtual ~KernelCore() = default;

  struct Result {
    Fault fault;
    std::uint32_t read_beats = 0, write_beats = 0, macs = 0;
  };

  virtual const abi::Configuration& configuration() const = 0;
  /// A whole run.
  virtual Result run(const Arguments& arguments, DeviceMemory& memory) = 0;
  /// Power-on state.
  virtual void clear() = 0;
};

/// A core for one of the configurations of the contract. Throws Error Usage for any other.
std::unique_ptr<KernelCore> make_kernel_core(const abi::Configuration& configuration);

/// Cycle counters and marks read 0. A run is executed when it is started.
class HlsBus : public driver::Bus {
 public:
  /// Throws Error Usage for a size that is not one of the contract's arrays.
  explicit HlsBus(const abi::Configuration& configuration) : HlsBus(make_kernel_core(configuration)) {}
  explicit HlsBus(std::unique_ptr<KernelCore> core);

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

  /// Whether a run makes no progress and RegTimeout is 0.
  bool busy() const { return stuck_; }

  const abi::Configuration& configuration() const { return core_->configuration(); }

  /// Makes the memory misbehave for the machine until cleared with nullopt.
  void set_memory_fault(std::optional<MemoryFault> fault) { memory_.set_fault(fault); }

 private:
  std::uint32_t read_result(std::uint32_t offset) const;

  std::unique_ptr<KernelCore> core_;
  DeviceMemory memory_;
  RegisterFile registers_;
  KernelCore::Result result_;
  bool stuck_ = false;
};

}  // namespace espalier::functional

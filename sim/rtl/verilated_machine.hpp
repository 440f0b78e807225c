// The Verilated accelerator behind a small interface, so that one Bus serves every array size and build.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "esp_abi.hpp"
#include "esp_memory_model.hpp"

namespace espalier::rtl {

/// What the memory sends in a cycle; at most one master gets a read beat.
struct MemoryBeat {
  const std::uint8_t* data = nullptr;  // 64 bytes for the master whose r_valid is set
  bool read_error = false;
  bool write_error = false;
};

/// Pins of one accelerator, clocked cycle by cycle. Outputs are valid from one clock() to the next.
class VerilatedMachine {
 public:
  virtual ~VerilatedMachine() = default;

  /// Holds the reset for a few cycles.
  virtual void reset() = 0;

  /// The memory pins that the machine drives in the coming cycle.
  virtual abi::MemoryRequest request() const = 0;
  virtual std::uint64_t read_address(unsigned master) const = 0;
  virtual std::uint64_t write_address() const = 0;
  virtual unsigned write_length() const = 0;           // beats
  virtual const std::uint8_t* write_data() const = 0;  // 64 bytes

  /// One cycle with these memory pins.
  virtual void clock(const abi::MemoryResponse& response, const MemoryBeat& beat) = 0;

  /// AXI4-Lite pins; the transaction advances with clock(). At most one is under way. `offset`: inside the window.
  virtual void begin_register_write(std::uint32_t offset, std::uint32_t value) = 0;
  virtual void begin_register_read(std::uint32_t offset) = 0;
  virtual bool register_busy() const = 0;
  virtual std::uint32_t register_value() const = 0;

  virtual bool idle() const = 0;  // no run is active (peeked, not read over AXI)
  virtual bool interrupt() const = 0;
};

struct MachineOptions {
  std::string waves;       // FST file; empty: none
  std::uint64_t seed = 1;  // of undefined start values
};

/// The machine of a configuration. Throws espalier::Error (Usage) for a size that was not built.
std::unique_ptr<VerilatedMachine> make_machine(const abi::Configuration& configuration, const MachineOptions& options);

}  // namespace espalier::rtl

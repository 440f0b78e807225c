// Bus: the seam between the driver and anything that looks like the card (simulations, XRT).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace espalier::driver {

/// Registers, device memory and waiting. Addresses are device addresses; allocations are 4 KiB aligned.
/// All calls throw espalier::Error (Device, Timeout); none is thread-safe.
class Bus {
 public:
  virtual ~Bus() = default;

  /// A short name for reports: "functional", "rtl 16x16", "xrt:0 ...".
  virtual std::string name() const = 0;

  virtual std::uint32_t read_register(std::uint32_t offset) = 0;
  virtual void write_register(std::uint32_t offset, std::uint32_t value) = 0;

  virtual std::uint64_t allocate(std::size_t bytes) = 0;
  virtual void release(std::uint64_t address) = 0;
  virtual void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) = 0;
  virtual void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) = 0;

  /// Blocks until the done bit rises; returns false if `limit` (wall clock) passes first. Simulations clock the model.
  virtual bool wait_done(std::chrono::milliseconds limit) = 0;

  /// Brings the device into its power-on state; memory contents and allocations stay.
  virtual void reset() = 0;
};

/// For those who implement a Bus: throws Error Device unless `offset` is a multiple of 4 inside the register window.
void check_register(std::uint32_t offset);

}  // namespace espalier::driver

// Buffer: a piece of device memory that frees itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "espalier/driver/bus.hpp"

namespace espalier::driver {

/// Move-only; the bus must outlive it. Sizes are bytes, addresses device addresses (multiples of 4096).
class Buffer {
 public:
  Buffer() = default;
  /// Allocates `bytes` > 0, rounded up to whole beats.
  Buffer(Bus& bus, std::size_t bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  std::uint64_t address() const { return address_; }
  std::size_t bytes() const { return bytes_; }

  /// Throw Error Usage outside the buffer.
  void write(std::span<const std::uint8_t> data, std::size_t offset = 0);
  void read(std::span<std::uint8_t> data, std::size_t offset = 0) const;

 private:
  void release() noexcept;
  void check(std::size_t count, std::size_t offset) const;

  Bus* bus_ = nullptr;
  std::uint64_t address_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace espalier::driver

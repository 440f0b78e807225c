#include "espalier/driver/buffer.hpp"

#include <fmt/format.h>

#include <utility>

#include "esp_abi.hpp"
#include "esp_error.hpp"

namespace espalier::driver {

Buffer::Buffer(Bus& bus, std::size_t bytes)
    : bus_(&bus), bytes_((bytes + abi::BeatBytes - 1) / abi::BeatBytes * abi::BeatBytes) {
  address_ = bus.allocate(bytes_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : bus_(std::exchange(other.bus_, nullptr)),
      address_(std::exchange(other.address_, 0)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  bus_ = std::exchange(other.bus_, nullptr);
  address_ = std::exchange(other.address_, 0);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Buffer::~Buffer() { release(); }

void Buffer::release() noexcept {
  if (bus_ == nullptr) return;
  try {
    bus_->release(address_);
  } catch (...) {
    // A device that has gone has freed its memory as well; a destructor has nobody to tell.
  }
  bus_ = nullptr;
}

void Buffer::check(std::size_t count, std::size_t offset) const {
  if (bus_ != nullptr && offset <= bytes_ && count <= bytes_ - offset) return;
  throw Error(ErrorCode::Usage, "access outside a buffer", "device buffer",
              fmt::format("{} bytes at offset {} of {}", count, offset, bytes_), "allocate a larger buffer");
}

void Buffer::write(std::span<const std::uint8_t> data, std::size_t offset) {
  check(data.size(), offset);
  bus_->write_memory(address_ + offset, data);
}

void Buffer::read(std::span<std::uint8_t> data, std::size_t offset) const {
  check(data.size(), offset);
  bus_->read_memory(address_ + offset, data);
}

}  // namespace espalier::driver

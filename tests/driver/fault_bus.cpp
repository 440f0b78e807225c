#include "driver/fault_bus.hpp"

#include "esp_error.hpp"

namespace espalier::test {

void FaultBus::call() {
  if (faults_.gone_after && calls_ >= *faults_.gone_after) {
    throw Error(ErrorCode::Device, "the device has disappeared", bus_.name(), {}, "open it again");
  }
  ++calls_;
}

std::uint32_t FaultBus::read_register(std::uint32_t offset) {
  call();
  const auto replacement = faults_.registers.find(offset);
  return replacement != faults_.registers.end() ? replacement->second : bus_.read_register(offset);
}

void FaultBus::write_register(std::uint32_t offset, std::uint32_t value) {
  call();
  bus_.write_register(offset, value);
}

std::uint64_t FaultBus::allocate(std::size_t bytes) {
  call();
  return bus_.allocate(bytes);
}

/// Memory of a device that has gone is still freed, so that the bus behind can be used on.
void FaultBus::release(std::uint64_t address) { bus_.release(address); }

void FaultBus::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  call();
  bus_.write_memory(address, bytes);
}

void FaultBus::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  call();
  bus_.read_memory(address, bytes);
}

bool FaultBus::wait_done(std::chrono::milliseconds limit) {
  call();
  const bool done = bus_.wait_done(limit);
  return done && !faults_.never_done;
}

void FaultBus::reset() {
  call();
  ++resets_;
  bus_.reset();
}

}  // namespace espalier::test

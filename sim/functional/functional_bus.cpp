#include "functional/functional_bus.hpp"

#include <algorithm>
#include <utility>

#include "esp_arrays.hpp"

namespace espalier::functional {

namespace {

constexpr unsigned CommandsPerPoll = 16;

}  // namespace

FunctionalBus::FunctionalBus(std::unique_ptr<KernelCore> core)
    : runner_(std::move(core), memory_), registers_(runner_.configuration()) {}

std::string FunctionalBus::name() const { return "functional " + abi::array_name(configuration()); }

std::uint32_t FunctionalBus::read_register(std::uint32_t offset) {
  if (offset == abi::RegControl) {
    advance(CommandsPerPoll);
    return registers_.read_control(busy());
  }
  const auto value = registers_.read(offset);
  return value ? *value : read_result(offset);
}

std::uint32_t FunctionalBus::read_result(std::uint32_t offset) const {
  switch (offset) {
    case abi::RegError:
      return runner_.fault().code;
    case abi::RegErrorPosition:
      return runner_.fault().position;
    case abi::RegErrorDetail:
      return runner_.fault().detail;
    case abi::RegReadBeats:
      return runner_.traffic().read_beats;
    case abi::RegWriteBeats:
      return runner_.traffic().write_beats;
    case abi::RegMacs:
      return runner_.traffic().macs;
    default:
      return 0;  // cycles and marks: there is no clock; the rest of the window is reserved
  }
}

void FunctionalBus::write_register(std::uint32_t offset, std::uint32_t value) {
  if (!registers_.write(offset, value, busy())) return;
  runner_.start(registers_.arguments());
  if (runner_.status() == ListRunner::Status::Done) registers_.finish();
}

bool FunctionalBus::busy() const {
  return runner_.status() == ListRunner::Status::Running || runner_.status() == ListRunner::Status::Stuck;
}

bool FunctionalBus::advance(unsigned commands) {
  for (unsigned i = 0; i < commands && runner_.status() == ListRunner::Status::Running; ++i) {
    if (runner_.step() == ListRunner::Status::Done) registers_.finish();
  }
  return runner_.status() == ListRunner::Status::Running;
}

bool FunctionalBus::wait_done(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (advance(1)) {
    if (std::chrono::steady_clock::now() >= end) return false;
  }
  return runner_.status() == ListRunner::Status::Done;
}

void FunctionalBus::reset() {
  runner_.reset();
  registers_.clear();
}

std::uint64_t FunctionalBus::allocate(std::size_t bytes) { return memory_.allocate(bytes); }

void FunctionalBus::release(std::uint64_t address) { memory_.release(address); }

void FunctionalBus::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  std::copy(bytes.begin(), bytes.end(), memory_.at(address, bytes.size()));
}

void FunctionalBus::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const std::uint8_t* data = memory_.at(address, bytes.size());
  std::copy(data, data + bytes.size(), bytes.begin());
}

}  // namespace espalier::functional

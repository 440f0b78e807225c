#include "functional/functional_bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace espalier::functional {

namespace {

constexpr unsigned CommandsPerPoll = 16;

}  // namespace

FunctionalBus::FunctionalBus(std::unique_ptr<KernelCore> core)
    : core_(std::move(core)), registers_(core_->configuration()) {}

std::string FunctionalBus::name() const {
  return fmt::format("functional {}x{}", configuration().lanes, configuration().pixels);
}

std::uint32_t FunctionalBus::read_register(std::uint32_t offset) {
  if (offset == abi::RegControl) {
    advance(CommandsPerPoll);
    return registers_.read_control(busy());
  }
  const auto value = registers_.read(offset);
  return value ? *value : read_result(offset);
}

std::uint32_t FunctionalBus::read_result(std::uint32_t offset) const {
  const KernelCore::Result result = core_->result();
  // The kernels end a run that makes no progress; the machine does so once its time-out has passed.
  const Fault fault = state_ == State::Stuck ? Fault{} : result.fault;
  switch (offset) {
    case abi::RegError:
      return fault.code;
    case abi::RegErrorPosition:
      return fault.position;
    case abi::RegErrorDetail:
      return fault.detail;
    case abi::RegReadBeats:
      return result.read_beats;
    case abi::RegWriteBeats:
      return result.write_beats;
    case abi::RegMacs:
      return result.macs;
    default:
      return 0;  // cycles and marks: there is no clock; the rest of the window is reserved
  }
}

void FunctionalBus::write_register(std::uint32_t offset, std::uint32_t value) {
  if (!registers_.write(offset, value, busy())) return;
  core_->start(registers_.arguments(), memory_);
  state_ = State::Running;
  if (core_->result().fault.code != abi::ErrorNone) end_run();
}

void FunctionalBus::end_run() {
  const bool stuck = core_->result().fault.code == abi::ErrorTimeout && registers_.arguments().timeout == 0;
  state_ = stuck ? State::Stuck : State::Idle;
  if (!stuck) registers_.finish();
}

bool FunctionalBus::advance(unsigned commands) {
  for (unsigned i = 0; i < commands && state_ == State::Running; ++i) {
    if (!core_->step()) end_run();
  }
  return state_ == State::Running;
}

bool FunctionalBus::wait_done(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (advance(1)) {
    if (std::chrono::steady_clock::now() >= end) return false;
  }
  return !busy();
}

void FunctionalBus::reset() {
  core_->clear();
  registers_.clear();
  state_ = State::Idle;
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

#include "functional/functional_bus.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace espalier::functional {

namespace {

constexpr std::uint32_t ControlStart = 1;
constexpr std::uint32_t ControlDone = 2;
constexpr std::uint32_t ControlIdle = 4;
constexpr std::uint32_t ControlReady = 8;
constexpr unsigned CommandsPerPoll = 16;

}  // namespace

FunctionalBus::FunctionalBus(const abi::Configuration& configuration)
    : array_(configuration), runner_(array_, memory_) {}

std::string FunctionalBus::name() const {
  return fmt::format("functional {}x{}", configuration().lanes, configuration().pixels);
}

std::uint32_t FunctionalBus::read_register(std::uint32_t offset) {
  driver::check_register(offset);
  if (offset == abi::RegControl) return read_control();
  if (offset <= abi::RegTimeout) return word(offset);
  switch (offset) {
    case abi::RegVersion:
      return abi::AbiVersion;
    case abi::RegLanes:
      return configuration().lanes;
    case abi::RegPixels:
      return configuration().pixels;
    case abi::RegBankRows:
      return configuration().bank_rows;
    case abi::RegLineDepth:
      return configuration().line_depth;
    case abi::RegMaxSplit:
      return configuration().max_split();
    case abi::RegWriters:
      return configuration().writers;
    default:
      return read_result(offset);
  }
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
      return static_cast<std::uint32_t>(runner_.traffic().read_beats);
    case abi::RegWriteBeats:
      return static_cast<std::uint32_t>(runner_.traffic().write_beats);
    case abi::RegMacs:
      return static_cast<std::uint32_t>(runner_.traffic().macs);
    default:
      return 0;  // cycles and marks: there is no clock; the rest of the window is reserved
  }
}

std::uint32_t FunctionalBus::read_control() {
  advance(CommandsPerPoll);
  const std::uint32_t value = busy() ? ControlStart : (ControlIdle | (done_ ? ControlDone | ControlReady : 0));
  done_ = false;
  return value;
}

void FunctionalBus::write_register(std::uint32_t offset, std::uint32_t value) {
  driver::check_register(offset);
  if (offset == abi::RegControl) {
    if ((value & ControlStart) != 0) start();
  } else if (offset == abi::RegInterruptStatus) {
    word(offset) ^= value & 3U;
  } else if (offset == abi::RegGlobalInterrupt) {
    word(offset) = value & 1U;
  } else if (offset == abi::RegInterruptEnable) {
    word(offset) = value & 3U;
  } else if (offset <= abi::RegTimeout && !busy()) {
    word(offset) = value;
  }
}

std::uint64_t FunctionalBus::wide(std::uint32_t offset) const {
  return arguments_[offset / 4] | std::uint64_t{arguments_[offset / 4 + 1]} << 32;
}

Arguments FunctionalBus::arguments() const {
  Arguments arguments;
  arguments.windows = {{{wide(abi::RegProgramAddress), wide(abi::RegProgramBytes)},
                        {wide(abi::RegInputAddress), wide(abi::RegInputBytes)},
                        {wide(abi::RegOutputAddress), wide(abi::RegOutputBytes)},
                        {wide(abi::RegArenaAddress), wide(abi::RegArenaBytes)}}};
  arguments.command_offset = arguments_[abi::RegCommandOffset / 4];
  arguments.command_count = arguments_[abi::RegCommandCount / 4];
  arguments.timeout = arguments_[abi::RegTimeout / 4];
  return arguments;
}

bool FunctionalBus::busy() const {
  return runner_.status() == ListRunner::Status::Running || runner_.status() == ListRunner::Status::Stuck;
}

void FunctionalBus::start() {
  if (busy()) return;
  done_ = false;
  runner_.start(arguments());
  if (runner_.status() == ListRunner::Status::Done) finish();
}

void FunctionalBus::finish() {
  done_ = true;
  word(abi::RegInterruptStatus) |= word(abi::RegInterruptEnable) & 3U;
}

bool FunctionalBus::advance(unsigned commands) {
  for (unsigned i = 0; i < commands && runner_.status() == ListRunner::Status::Running; ++i) {
    if (runner_.step() == ListRunner::Status::Done) finish();
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
  array_.clear();
  arguments_.fill(0);
  done_ = false;
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

#include "rtl/rtl_bus.hpp"

#include <algorithm>
#include <cstring>

#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace espalier::rtl {
namespace {

constexpr std::uint64_t CyclesPerClockCheck = 4096;  // between looks at the wall clock
constexpr unsigned RegisterCycles = 64;              // an AXI4-Lite access that takes longer is a defect

}  // namespace

RtlBus::RtlBus(const abi::Configuration& configuration, const RtlOptions& options)
    : configuration_(configuration),
      options_(options),
      machine_(make_machine(configuration, {options.waves, options.seed})),
      timing_(std::make_unique<abi::FixedLatencyMemory>(options.memory, options.stalls)) {}

RtlBus::~RtlBus() = default;

std::string RtlBus::name() const { return "rtl " + abi::array_name(configuration_); }

std::uint32_t RtlBus::read_register(std::uint32_t offset) {
  driver::check_register(offset);
  machine_->begin_register_read(offset);
  for (unsigned i = 0; i < RegisterCycles && machine_->register_busy(); ++i) cycle();
  if (machine_->register_busy()) {
    throw Error(ErrorCode::Timeout, "register read was not answered", "register " + std::to_string(offset));
  }
  return machine_->register_value();
}

void RtlBus::write_register(std::uint32_t offset, std::uint32_t value) {
  driver::check_register(offset);
  machine_->begin_register_write(offset, value);
  if (offset == abi::RegControl && (value & 1U) != 0) recording_.clear();
  for (unsigned i = 0; i < RegisterCycles && machine_->register_busy(); ++i) cycle();
  if (machine_->register_busy()) {
    throw Error(ErrorCode::Timeout, "register write was not answered", "register " + std::to_string(offset));
  }
}

std::uint64_t RtlBus::allocate(std::size_t bytes) { return memory_.allocate(bytes); }
void RtlBus::release(std::uint64_t address) { memory_.release(address); }

void RtlBus::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  if (!bytes.empty()) std::memcpy(memory_.at(address, bytes.size()), bytes.data(), bytes.size());
}

void RtlBus::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) std::memcpy(bytes.data(), memory_.at(address, bytes.size()), bytes.size());
}

bool RtlBus::wait_done(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    if (clock_until_idle(CyclesPerClockCheck)) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
  }
}

void RtlBus::reset() {
  for (auto& stream : reads_) stream.clear();
  writes_.clear();
  write_errors_.clear();
  silent_ = false;
  timing_ = std::make_unique<abi::FixedLatencyMemory>(options_.memory, options_.stalls);
  machine_->reset();
}

void RtlBus::clock(std::uint64_t cycles) {
  for (std::uint64_t i = 0; i < cycles; ++i) cycle();
}

bool RtlBus::clock_until_idle(std::uint64_t cycles) {
  for (std::uint64_t i = 0; i < cycles; ++i) {
    if (machine_->idle()) return true;
    cycle();
  }
  return machine_->idle();
}

// A silent memory neither accepts nor answers.
void RtlBus::cycle() { advance(silent_ ? abi::MemoryResponse{} : timing_->clock(machine_->request())); }

void RtlBus::begin_start() { machine_->begin_register_write(abi::RegControl, 1); }
bool RtlBus::register_busy() const { return machine_->register_busy(); }
bool RtlBus::idle() const { return machine_->idle(); }
abi::MemoryRequest RtlBus::request() const { return silent_ ? abi::MemoryRequest{} : machine_->request(); }

void RtlBus::advance(const abi::MemoryResponse& response) {
  const abi::MemoryRequest request = machine_->request();
  if (options_.record && !machine_->idle()) recording_.push_back(response);

  MemoryBeat beat;
  for (unsigned m = 0; m < abi::Masters; ++m) {
    if (response.ar_ready[m] && request.ar_valid[m]) accept_read(m);
    if (response.r_valid[m]) beat.data = next_read_beat(m, beat.read_error);
  }
  if (response.aw_ready && request.aw_valid) accept_write();
  if (response.b_valid) {
    beat.write_error = write_errors_.front();
    write_errors_.pop_front();
  }
  if (response.w_ready && request.w_valid) take_write_beat(request.w_last);
  machine_->clock(response, beat);
  ++cycles_;
}

void RtlBus::accept_read(unsigned master) {
  const std::uint64_t address = machine_->read_address(master);
  const unsigned beats = machine_->request().ar_len[master] + 1U;
  auto fault = memory_.fault(address, std::uint64_t{beats} * abi::BeatBytes, false);
  if (fault == functional::MemoryFaultKind::NoAnswer) silent_ = true;
  reads_[master].push_back({address, beats, fault});
}

void RtlBus::accept_write() {
  const std::uint64_t address = machine_->write_address();
  const unsigned beats = machine_->write_length();
  auto fault = memory_.fault(address, std::uint64_t{beats} * abi::BeatBytes, true);
  if (fault == functional::MemoryFaultKind::NoAnswer) silent_ = true;
  writes_.push_back({address, beats, fault});
}

// Reads outside of every allocation answer with a decode error.
const std::uint8_t* RtlBus::next_read_beat(unsigned master, bool& error) {
  Stream& stream = reads_[master].front();
  const std::uint8_t* bytes = memory_.find(stream.address, abi::BeatBytes);
  error = bytes == nullptr || stream.fault == functional::MemoryFaultKind::ReadError;
  stream.address += abi::BeatBytes;
  if (--stream.beats == 0) reads_[master].pop_front();
  return bytes == nullptr ? zero_beat_.data() : bytes;
}

void RtlBus::take_write_beat(bool last) {
  Stream& stream = writes_.front();
  std::uint8_t* bytes = memory_.find(stream.address, abi::BeatBytes);
  if (bytes == nullptr) stream.fault = functional::MemoryFaultKind::WriteError;
  const bool failed = stream.fault == functional::MemoryFaultKind::WriteError;
  if (!failed) std::memcpy(bytes, machine_->write_data(), abi::BeatBytes);
  stream.address += abi::BeatBytes;
  if (last) {
    write_errors_.push_back(failed);
    writes_.pop_front();
  }
}

}  // namespace espalier::rtl

#include "soc/soc_bus.hpp"

#include "esp_abi.hpp"

namespace espalier::soc {

namespace {

constexpr std::uint64_t CyclesPerClockCheck = 16384;  // between looks at the wall clock
constexpr std::uint64_t CyclesPerPoll = 256;          // so that a program which polls sees a run end

}  // namespace

SocBus::SocBus(const abi::Configuration& configuration, const Options& options)
    : SocBus(std::make_shared<Platform>(configuration, options, 1), 0) {}

std::string SocBus::name() const { return platform_->name(); }

std::uint32_t SocBus::read_register(std::uint32_t offset) {
  driver::check_register(offset);
  if (offset == abi::RegControl && platform_->busy(core_)) platform_->advance(CyclesPerPoll);
  return platform_->read_register(core_, offset);
}

void SocBus::write_register(std::uint32_t offset, std::uint32_t value) {
  driver::check_register(offset);
  if (offset == abi::RegControl && (value & 1U) != 0) {
    if (!platform_->busy(core_)) platform_->start(core_);
  } else {
    platform_->write_register(core_, offset, value);
  }
}

std::uint64_t SocBus::allocate(std::size_t bytes) { return platform_->memory().allocate(bytes); }
void SocBus::release(std::uint64_t address) { platform_->memory().release(address); }
void SocBus::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  platform_->write_memory(address, bytes);
}
void SocBus::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  platform_->read_memory(address, bytes);
}

bool SocBus::wait_done(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (platform_->advance(CyclesPerClockCheck)) {
    if (std::chrono::steady_clock::now() >= end) return false;
  }
  return !platform_->stuck();
}

void SocBus::reset() { platform_->reset(core_); }

std::vector<std::unique_ptr<SocBus>> make_cores(const abi::Configuration& configuration, const Options& options,
                                                unsigned cores) {
  const auto platform = std::make_shared<Platform>(configuration, options, cores);
  std::vector<std::unique_ptr<SocBus>> buses;
  for (unsigned c = 0; c < cores; ++c) buses.push_back(std::make_unique<SocBus>(platform, c));
  return buses;
}

}  // namespace espalier::soc
